import type { DraftPart } from '../../shared/contracts/app-ipc.ts';
import type { Conversation } from '../../shared/domain/conversation.ts';
import type { Api } from '../api.ts';
import type { ChatStore } from './chat.svelte.ts';
import type { DraftItem } from './drafts.svelte.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

/** What was taken away last, and can still be brought back. */
export interface Undoable {
  readonly deletionId: string;
  readonly conversationId: string;
  readonly what: string;
}

/** Where one of several stands: `index` from 0. */
export interface VersionPlace {
  readonly index: number;
  readonly count: number;
}

/** How long "Undo" is offered. */
const undoMs = 12_000;

/** Versions of the open conversation's turns and drawings: which there are, choosing, deleting, editing. */
export class VersionsStore {
  undo = $state.raw<Undoable | null>(null);
  /** The message that is being edited. */
  editing = $state<string | null>(null);
  /** A message is being shortened. */
  shortening = $state(false);
  readonly #api: Api;
  readonly #chat: ChatStore;
  /** What stands in the editors of messages, by turn, until it is sent or cancelled. */
  readonly #edited: Record<string, readonly DraftItem[]> = {};
  #undoTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(api: Api, chat: ChatStore) {
    this.#api = api;
    this.#chat = chat;
  }

  /** Null where a turn is the only version. */
  ofTurn(turnId: string): VersionPlace | null {
    const versions = this.#family(turnId);
    return versions === null ? null : { index: versions.indexOf(turnId), count: versions.length };
  }

  /** Null where a drawing is the only one at its place. */
  ofDrawing(turnId: string, partIndex: number): VersionPlace | null {
    const place = this.#chat.versions.drawings.find(
      (each) => each.turnId === turnId && each.partIndex === partIndex,
    );
    return place === undefined ? null : { index: place.current, count: place.count };
  }

  /** The same for every version of a turn, so that what shows one shows the next. */
  placeKey(turnId: string): string {
    return this.#family(turnId)?.[0] ?? turnId;
  }

  async choose(turnId: string, index: number): Promise<void> {
    const chosen = this.#family(turnId)?.[index];
    if (chosen === undefined) return;
    await this.#change(() => this.#api.request('versions.choose', { turnId: chosen }));
  }

  async chooseDrawing(turnId: string, partIndex: number, index: number): Promise<void> {
    await this.#change(() =>
      this.#api.request('versions.chooseDrawing', { turnId, partIndex, index }),
    );
  }

  /** Takes a version or a whole exchange away; `what` names it where Undo is offered. */
  async remove(turnId: string, what: string): Promise<void> {
    await this.#change(async () => {
      const { deletionId, conversation } = await this.#api.request('versions.delete', { turnId });
      this.#offerUndo({ deletionId, conversationId: conversation.summary.id, what });
      return conversation;
    });
  }

  async removeDrawing(turnId: string, partIndex: number): Promise<void> {
    await this.#change(async () => {
      const { deletionId, conversation } = await this.#api.request('versions.deleteDrawing', {
        turnId,
        partIndex,
      });
      const what = t.chat.thisVersionOfDrawing;
      this.#offerUndo({ deletionId, conversationId: conversation.summary.id, what });
      return conversation;
    });
  }

  /** Brings back what was taken away last. The conversation it belongs to, which may not be the open one. */
  async restore(): Promise<string | null> {
    const { undo } = this;
    this.dismissUndo();
    if (undo === null) return null;
    const { deletionId } = undo;
    await this.#change(() => this.#api.request('versions.restore', { deletionId }));
    return undo.conversationId;
  }

  dismissUndo(): void {
    if (this.#undoTimer !== null) clearTimeout(this.#undoTimer);
    this.undo = null;
  }

  /** Sends other words in a message's place. True when it has begun. */
  async edit(turnId: string, parts: readonly DraftPart[]): Promise<boolean> {
    const sent = await this.#chat.edit(turnId, parts);
    if (sent) this.stopEditing(turnId);
    return sent;
  }

  /** What stood last in a message's editor, which one that is made anew goes on with; none where nothing was changed. */
  edited(turnId: string): readonly DraftItem[] | undefined {
    return this.#edited[turnId];
  }

  keepEdited(turnId: string, items: readonly DraftItem[]): void {
    this.#edited[turnId] = items;
  }

  /** Closes a message's editor, and forgets what stood in it. */
  stopEditing(turnId: string): void {
    delete this.#edited[turnId];
    this.editing = null;
  }

  async shorten(turnId: string): Promise<void> {
    this.shortening = true;
    await this.#chat.shorten(turnId);
    this.shortening = false;
  }

  #family(turnId: string): readonly string[] | null {
    return this.#chat.versions.turns.find((ids) => ids.includes(turnId)) ?? null;
  }

  async #change(ask: () => Promise<Conversation>): Promise<void> {
    try {
      this.#chat.show(await ask());
    } catch (error) {
      this.#chat.actionError = sentenceOf(error);
    }
  }

  #offerUndo(undo: Undoable): void {
    this.dismissUndo();
    this.undo = undo;
    this.#undoTimer = setTimeout(() => this.dismissUndo(), undoMs);
  }
}
