import type { AppReplyBody, AppRequestBody } from '../../shared/contracts/app-ipc.ts';
import type { Api } from '../api.ts';
import { sentenceOf } from '../texts.svelte.ts';
import type { ChatStore } from './chat.svelte.ts';
import type { DraftItem } from './drafts.svelte.ts';

type Measured = NonNullable<AppReplyBody<'chat.measure'>>;
export type MeasureRequest = AppRequestBody<'chat.measure'>;

/** How long typing pauses before the engine is asked. */
const pauseMs = 180;

/** How much of the model's context the message that is being written would take, as the engine counts it. */
export class MeterStore {
  /** What was measured last; null while no model is open. */
  value = $state.raw<Measured | null>(null);
  /** The message that is written now has not been measured yet. */
  pending = $state(false);
  readonly #api: Api;
  readonly #chat: ChatStore;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #asked = 0;
  #conversation: string | null | undefined;

  constructor(api: Api, chat: ChatStore) {
    this.#api = api;
    this.#chat = chat;
  }

  /** The message alone does not fit: it would be refused. */
  get isTooMuch(): boolean {
    return this.value !== null && this.value.messageTokens > this.value.room;
  }

  /** Measures it once typing pauses; at once where another conversation is shown. */
  measure(request: MeasureRequest): void {
    const isElsewhere = this.#conversation !== request.conversationId;
    this.#conversation = request.conversationId;
    if (isElsewhere) this.value = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.pending = true;
    this.#timer = setTimeout(() => void this.#ask(request), isElsewhere ? 0 : pauseMs);
  }

  /**
   * The items of a message, shortened until the model can read them; null where that could not be done. Pictures come
   * back in their order: which they are is known here.
   */
  async trim(
    request: MeasureRequest,
    items: readonly DraftItem[],
  ): Promise<readonly DraftItem[] | null> {
    try {
      const { parts } = await this.#api.request('chat.trim', request);
      const pictures = items.filter((item) => item.kind === 'picture').values();
      return parts.flatMap((part): DraftItem[] => {
        if (part.kind === 'text') return [part];
        const picture = pictures.next().value;
        return picture === undefined ? [] : [picture];
      });
    } catch (error) {
      this.#chat.actionError = sentenceOf(error);
      return null;
    }
  }

  async #ask(request: MeasureRequest): Promise<void> {
    const asked = (this.#asked += 1);
    let value: Measured | null = null;
    try {
      value = await this.#api.request('chat.measure', request);
    } catch {
      // Nothing is measured while the engine is away: sending says why.
    }
    if (asked !== this.#asked) return;
    this.value = value;
    this.pending = false;
  }
}
