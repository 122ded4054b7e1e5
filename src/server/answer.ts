import { randomUUID } from 'node:crypto';
import type { DrawnPicture, WorkerReplyEvent } from '../shared/contracts/reply-event.ts';
import type { FinishReason } from '../shared/contracts/worker-protocol.ts';
import type { Notice, Usage } from '../shared/domain/turn.ts';
import type { ServedModel } from './engine.ts';
import type { EventStream } from './event-stream.ts';
import { pictureMark } from './picture-marks.ts';
import { pictureHash, pictureUrl, type RememberedDrawings } from './pictures.ts';
import { StopWords } from './stop-words.ts';

/** A drawn picture in an answer: the form that others give pictures in, and what it was drawn from. */
export interface AnsweredPicture {
  readonly type: 'image_url';
  readonly index: number;
  readonly image_url: { readonly url: string };
  /** As in the mark at its place in the words. */
  readonly hash: string;
  readonly caption: string;
  readonly recipe: DrawnPicture['recipe'];
}

interface Delta {
  readonly content?: string;
  readonly images?: readonly AnsweredPicture[];
}

/** Turns what happens to a reply into the words and pictures of an answer, as a whole or piece by piece. */
export class Answer {
  readonly #about;
  readonly #stopWords: StopWords;
  readonly #remembered: RememberedDrawings;
  readonly #stream: EventStream | null;
  readonly #onStop: () => void;
  readonly #images: AnsweredPicture[] = [];
  readonly #notices: Notice[] = [];
  #content = '';
  #stopped = false;

  /** @param onStop called once where one of the stop words came: nothing more is taken */
  constructor(parts: {
    readonly model: ServedModel;
    readonly stop: readonly string[];
    readonly remembered: RememberedDrawings;
    readonly stream: EventStream | null;
    readonly onStop: () => void;
  }) {
    const id = `chatcmpl-${randomUUID()}`;
    this.#about = { id, created: Math.floor(Date.now() / 1000), model: parts.model.id };
    this.#stopWords = new StopWords(parts.stop);
    this.#remembered = parts.remembered;
    this.#stream = parts.stream;
    this.#onStop = parts.onStop;
  }

  /** Whether a stop word ended it. */
  get stopped(): boolean {
    return this.#stopped;
  }

  /** The first piece of a stream, which says who speaks. */
  begin(): void {
    this.#chunk({ role: 'assistant', content: '' });
  }

  take(event: WorkerReplyEvent): void {
    if (this.#stopped) return;
    switch (event.kind) {
      case 'text':
        return this.#takeText(event.text);
      case 'picture':
        return this.#takePicture(event);
      case 'drawing-failed':
        // As it stands in the model's own context.
        this.#notices.push({ code: 'picture-unreadable', message: event.error.message });
        return this.#say({ content: `${this.#stopWords.flush()}(${event.caption})` });
      case 'notice':
        return void this.#notices.push(event.notice);
      case 'drawing-step':
        return this.#stream?.comment(`drawing ${event.step} of ${event.steps}`);
      default:
        return;
    }
  }

  #takeText(text: string): void {
    const { say, stops } = this.#stopWords.push(text);
    if (say !== '') this.#say({ content: say });
    if (!stops) return;
    this.#stopped = true;
    this.#onStop();
  }

  #takePicture({ png, caption, recipe }: DrawnPicture): void {
    const hash = pictureHash(png);
    this.#remembered.add(hash, png);
    const picture: AnsweredPicture = {
      type: 'image_url',
      index: this.#images.length,
      image_url: { url: pictureUrl(png) },
      ...{ hash, caption, recipe },
    };
    this.#images.push(picture);
    const content = this.#stopWords.flush() + pictureMark(caption, hash);
    this.#say({ content, images: [picture] });
  }

  #say(delta: Delta): void {
    this.#content += delta.content ?? '';
    this.#chunk(delta);
  }

  #chunk(delta: object, finish: string | null = null): void {
    this.#stream?.send({
      ...this.#about,
      object: 'chat.completion.chunk',
      choices: [{ index: 0, delta, logprobs: null, finish_reason: finish }],
    });
  }

  /** The last pieces of a stream. */
  end(finish: FinishReason, usage: Usage | null, withUsage: boolean): void {
    const held = this.#stopped ? '' : this.#stopWords.flush();
    if (held !== '') this.#say({ content: held });
    this.#chunk({}, this.#reason(finish));
    if (withUsage) {
      const { id, created, model } = this.#about;
      const about = { id, created, model, object: 'chat.completion.chunk', choices: [] };
      this.#stream?.send({ ...about, usage: usageOf(usage), textbind: this.#beside(usage) });
    }
    this.#stream?.end();
  }

  /** All of it. */
  whole(finish: FinishReason, usage: Usage | null) {
    const content = this.#content + (this.#stopped ? '' : this.#stopWords.flush());
    const images = this.#images.length === 0 ? {} : { images: this.#images };
    const message = { role: 'assistant', content, refusal: null, ...images };
    return {
      ...this.#about,
      object: 'chat.completion',
      choices: [{ index: 0, message, logprobs: null, finish_reason: this.#reason(finish) }],
      usage: usageOf(usage),
      textbind: this.#beside(usage),
    };
  }

  /** What this API has no field for. */
  #beside(usage: Usage | null) {
    return { notices: this.#notices, usage };
  }

  #reason(finish: FinishReason): string {
    return finish === 'length' && !this.#stopped ? 'length' : 'stop';
  }
}

function usageOf(usage: Usage | null) {
  const [prompt, completion] = [usage?.promptTokens ?? 0, usage?.replyTokens ?? 0];
  return {
    prompt_tokens: prompt,
    completion_tokens: completion,
    total_tokens: prompt + completion,
  };
}
