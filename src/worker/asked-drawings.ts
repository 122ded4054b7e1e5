import { drawingProgressSchema, drawnPictureSchema } from '../shared/contracts/reply-event.ts';
import type { DrawingProgress, DrawnPicture } from '../shared/contracts/reply-event.ts';
import type { FromWorker, ToWorker } from '../shared/contracts/worker-protocol.ts';
import { fromWireError, StudioError } from '../shared/errors.ts';
import type { Draw } from './pipelines/drawing/drawer.ts';

/** Main's messages about drawings that were asked for. */
export type AskedMessage = Extract<ToWorker, { readonly type: `ask-${string}` }>;

interface Asked {
  onProgress(progress: DrawingProgress): void;
  resolve(picture: DrawnPicture): void;
  reject(error: Error): void;
}

/** Drawings that main is asked for, since another process makes them. */
export class AskedDrawings {
  readonly #post: (message: FromWorker) => void;
  readonly #asked = new Map<string, Asked>();
  #count = 0;

  constructor(post: (message: FromWorker) => void) {
    this.#post = post;
  }

  /** Rejects at once when the signal is aborted: the other process ends its step for itself. */
  readonly draw: Draw = (body, onProgress, signal) => {
    const id = `d${(this.#count += 1)}`;
    return new Promise((resolve, reject) => {
      signal.throwIfAborted();
      const onAbort = (): void => {
        this.#post({ type: 'ask-cancel', id });
        end(() => reject(new StudioError('cancelled', 'Stopped.')));
      };
      const end = (settle: () => void): void => {
        this.#asked.delete(id);
        signal.removeEventListener('abort', onAbort);
        settle();
      };
      this.#asked.set(id, {
        onProgress,
        resolve: (picture) => end(() => resolve(picture)),
        reject: (error) => end(() => reject(error)),
      });
      signal.addEventListener('abort', onAbort, { once: true });
      this.#post({ type: 'ask', id, body });
    });
  };

  /** What is not known any more was stopped. */
  receive(message: AskedMessage): void {
    const asked = this.#asked.get(message.id);
    if (asked === undefined) return;
    switch (message.type) {
      case 'ask-event':
        return asked.onProgress(drawingProgressSchema.parse(message.body));
      case 'ask-reply':
        return asked.resolve(drawnPictureSchema.parse(message.body));
      case 'ask-error':
        return asked.reject(fromWireError(message.error));
      default:
        return message satisfies never;
    }
  }
}
