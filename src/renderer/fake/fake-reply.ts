import type { AppEventBody, AppEventName } from '../../shared/contracts/app-ipc.ts';
import type { Drawing } from '../../shared/domain/settings.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { drawFake } from './fake-pictures.ts';
import { scriptFor, type FakeStep } from './fake-script.ts';
import type { FakeStore } from './fake-store.ts';

export interface FakeReplyOptions {
  readonly store: FakeStore;
  readonly conversationId: string;
  readonly turn: Turn;
  readonly drawing: Drawing;
  /** Index of the part to draw again; null for a whole reply. */
  readonly redraw: number | null;
  emit<Name extends AppEventName>(name: Name, body: AppEventBody<Name>): void;
  wait(ms: number): Promise<void>;
  crash(): void;
}

/** One reply of the fake model. */
export class FakeReply {
  readonly #options: FakeReplyOptions;
  #turn: Turn;
  #stopped = false;
  #aim: { readonly caption: string; readonly seed: number | null } | null = null;

  constructor(options: FakeReplyOptions) {
    this.#options = options;
    this.#turn = options.turn;
  }

  stop(): void {
    this.#stopped = true;
  }

  /** What a redraw is to draw. */
  aim(caption: string, seed: number | null): void {
    this.#aim = { caption, seed };
  }

  async run(): Promise<void> {
    const { redraw, wait } = this.#options;
    const started = performance.now();
    await wait(500);
    if (redraw !== null && this.#aim !== null) {
      await this.#draw(redraw, this.#aim.caption, this.#aim.seed, undefined);
      this.#settle({ status: 'complete' });
      return;
    }
    const asked = this.#lastOfUser();
    const goingOn = this.#turn.parts.length > 0;
    const steps = goingOn
      ? [{ do: 'say', text: ' and this is how it went on.' } as const]
      : scriptFor(asked.text, asked.pictures);
    for (const step of steps) {
      if (this.#stopped) break;
      const ended = await this.#take(step);
      if (ended) return;
    }
    const seconds = (performance.now() - started) / 1000;
    this.#settle({ status: this.#stopped ? 'stopped' : 'complete', usage: this.#usage(seconds) });
  }

  async #take(step: FakeStep): Promise<boolean> {
    switch (step.do) {
      case 'say':
        await this.#say(step.text);
        return false;
      case 'draw':
        await this.#draw(this.#turn.parts.length, step.caption, null, step.fails);
        return false;
      case 'notice': {
        const notice = { code: 'context-trimmed', message: step.message } as const;
        this.#turn = { ...this.#turn, notices: [...this.#turn.notices, notice] };
        this.#options.emit('chat.notice', { ...this.#ids(), notice });
        return false;
      }
      case 'fail':
        this.#settle({
          status: 'failed',
          error: { kind: 'bad-input', message: step.message, detail: null },
        });
        return true;
      case 'crash':
        this.#settle({ status: 'interrupted' });
        this.#options.crash();
        return true;
      case 'cut':
        this.#settle({ status: 'cut' });
        return true;
      default:
        return step satisfies never;
    }
  }

  async #say(text: string): Promise<void> {
    const { emit, wait } = this.#options;
    const last = this.#turn.parts.at(-1);
    const partIndex = last?.kind === 'text' ? this.#turn.parts.length - 1 : this.#turn.parts.length;
    for (const piece of text.match(/\s*\S+(?:\s+$)?/g) ?? []) {
      if (this.#stopped) return;
      const part = this.#turn.parts[partIndex];
      const before = part?.kind === 'text' ? part.text : '';
      this.#set(partIndex, { kind: 'text', text: before + piece });
      emit('chat.text', { ...this.#ids(), partIndex, text: piece });
      await wait(35);
    }
  }

  async #draw(
    partIndex: number,
    caption: string,
    seed: number | null,
    fails: string | undefined,
  ): Promise<void> {
    const { drawing, emit, store, wait } = this.#options;
    const ids = { ...this.#ids(), partIndex };
    const words = caption.split(' ');
    for (let count = 1; count <= words.length; count += 1) {
      emit('chat.caption', { ...ids, caption: words.slice(0, count).join(' '), finished: false });
      await wait(40);
    }
    emit('chat.caption', { ...ids, caption, finished: true });
    const chosen = seed ?? drawing.seed ?? Math.floor(Math.random() * 0xffff_ffff);
    const { steps } = drawing;
    for (let step = 0; step <= steps && !this.#stopped; step += 1) {
      const preview =
        step % 4 === 0 && step > 0 ? (await drawFake(caption, chosen, step / steps)).png : null;
      const secondsLeft = step === 0 ? null : (steps - step) * 0.11;
      emit('chat.drawing', {
        ...ids,
        progress: {
          kind: 'drawing-step',
          step,
          steps,
          secondsLeft,
          preview,
          width: 128,
          height: 128,
        },
      });
      if (fails !== undefined && step > steps / 3) break;
      await wait(110);
    }
    let part: MessagePart;
    if (fails !== undefined || this.#stopped) {
      const message = fails ?? 'You stopped this drawing.';
      part = {
        kind: 'undrawn',
        caption,
        error: { kind: fails === undefined ? 'cancelled' : 'out-of-memory', message, detail: null },
      };
    } else {
      const { png, width, height } = await drawFake(caption, chosen, 1);
      const recipe = {
        seed: chosen,
        steps,
        guidance: drawing.guidance ?? 5,
        model: 'TextBind mini',
      };
      const picture = await store.addPicture(png, {
        width,
        height,
        origin: 'drawn',
        caption,
        recipe,
      });
      part = { kind: 'picture', picture };
    }
    this.#set(partIndex, part);
    emit('chat.part', { ...ids, part });
  }

  #set(partIndex: number, part: MessagePart): void {
    const parts = [...this.#turn.parts];
    parts[partIndex] = part;
    this.#turn = { ...this.#turn, parts };
    const { conversationId, store } = this.#options;
    store.put(store.get(conversationId), this.#turn);
  }

  #settle(change: Partial<Turn>): void {
    const { conversationId, emit, store } = this.#options;
    this.#turn = { ...this.#turn, ...change };
    store.put(store.get(conversationId), this.#turn);
    emit('chat.turn', { conversationId, turn: this.#turn });
  }

  #usage(seconds: number): Turn['usage'] {
    const pictures = this.#turn.parts.filter(({ kind }) => kind === 'picture').length;
    return {
      promptTokens: 184,
      replyTokens: 42,
      prefillSeconds: 0.38,
      decodeSeconds: Math.min(seconds, 1.1),
      firstTokenSeconds: 0.5,
      pictures,
      drawSeconds: pictures * 4.4,
    };
  }

  #ids(): { conversationId: string; turnId: string } {
    return { conversationId: this.#options.conversationId, turnId: this.#turn.id };
  }

  #lastOfUser(): { readonly text: string; readonly pictures: number } {
    const { conversationId, store } = this.#options;
    const { turns } = store.get(conversationId);
    const parts = turns.findLast(({ role }) => role === 'user')?.parts ?? [];
    return {
      text: parts.map((part) => (part.kind === 'text' ? part.text : '')).join(' '),
      pictures: parts.filter(({ kind }) => kind === 'picture').length,
    };
  }
}
