import type { AppEventBody } from '../../shared/contracts/app-ipc.ts';
import type { ReplyEvent } from '../../shared/contracts/reply-event.ts';
import type { MessagePart, Notice, Turn, UndrawnPart } from '../../shared/domain/turn.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import type { WireError } from '../../shared/errors.ts';

/** What the window is told about one change, without the ids that every such event carries. */
export type DraftChange =
  | { readonly name: 'chat.text'; readonly partIndex: number; readonly text: string }
  | {
      readonly name: 'chat.caption';
      readonly partIndex: number;
      readonly caption: string;
      readonly finished: boolean;
    }
  | {
      readonly name: 'chat.drawing';
      readonly partIndex: number;
      readonly progress: AppEventBody<'chat.drawing'>['progress'];
    }
  | { readonly name: 'chat.part'; readonly partIndex: number; readonly part: MessagePart }
  | { readonly name: 'chat.notice'; readonly notice: Notice }
  /** Parts that were told of are gone: the window needs the whole turn. */
  | { readonly name: 'chat.turn' };

/** How soon a change must reach the disk: captions, pictures and the end at once, text within the flush interval. */
export type Urgency = 'none' | 'soon' | 'now';

export interface AppliedEvent {
  readonly change: DraftChange | null;
  readonly urgency: Urgency;
}

/** A worker's event whose picture, if it is one, is stored already. */
export type StoredReplyEvent =
  | Exclude<ReplyEvent, { kind: 'picture' }>
  | { readonly kind: 'picture'; readonly picture: Picture };

const notDrawnYet: WireError = {
  kind: 'cancelled',
  message: 'The reply ended before this picture was drawn.',
  detail: null,
};

/**
 * A reply while it is written: applies the worker's events to its parts. A caption that is being written, or whose
 * picture is being drawn, stands as an undrawn part, so that what is stored at any moment is a whole turn.
 */
export class ReplyDraft {
  readonly parts: MessagePart[];
  readonly notices: Notice[];
  #captionOpen = false;
  /** First part that is not stored as it is now; equals the number of parts when all are. */
  #unsavedFrom: number;

  constructor(turn: Turn) {
    this.parts = [...turn.parts];
    this.notices = [...turn.notices];
    this.#unsavedFrom = this.parts.length;
  }

  /** Applies one event and says what the window must be told and how soon it must be stored. */
  apply(event: StoredReplyEvent): AppliedEvent {
    switch (event.kind) {
      case 'text':
        return this.#appendText(event.text);
      case 'caption-started':
        this.#openCaption();
        return this.#captionChange('', false, 'now');
      case 'caption-text':
        this.#openCaption();
        return this.#captionChange(this.#openPart().caption + event.text, false, 'soon');
      case 'caption-finished':
        return this.#finishCaption(event.caption);
      case 'drawing-step':
        this.#openCaption();
        return {
          change: { name: 'chat.drawing', partIndex: this.#last, progress: event },
          urgency: 'none',
        };
      case 'picture':
        return this.#closeCaption({ kind: 'picture', picture: event.picture });
      case 'drawing-failed':
        return this.#closeCaption({
          kind: 'undrawn',
          caption: event.caption,
          error: event.error,
        });
      case 'notice':
        this.notices.push(event.notice);
        return { change: { name: 'chat.notice', notice: event.notice }, urgency: 'now' };
    }
  }

  /** Ends it: a caption without a word leaves no part behind. */
  settle(): void {
    if (this.#captionOpen && this.#openPart().caption.trim() === '') this.#dropLast();
    this.#captionOpen = false;
  }

  /** The first part that must be written. */
  unsavedFrom(): number {
    return this.#unsavedFrom;
  }

  /** All of it is on the disk. */
  markSaved(): void {
    this.#unsavedFrom = this.parts.length;
  }

  get #last(): number {
    return this.parts.length - 1;
  }

  #appendText(text: string): AppliedEvent {
    this.settle();
    const last = this.parts.at(-1);
    if (last?.kind === 'text') this.#put(this.#last, { kind: 'text', text: last.text + text });
    else this.#put(this.parts.length, { kind: 'text', text });
    return { change: { name: 'chat.text', partIndex: this.#last, text }, urgency: 'soon' };
  }

  #openCaption(): void {
    if (this.#captionOpen) return;
    this.#put(this.parts.length, { kind: 'undrawn', caption: '', error: notDrawnYet });
    this.#captionOpen = true;
  }

  #openPart(): UndrawnPart {
    const part = this.parts.at(-1);
    if (part?.kind !== 'undrawn') throw new Error('No caption is open');
    return part;
  }

  #finishCaption(caption: string): AppliedEvent {
    this.#openCaption();
    if (caption.trim() !== '') return this.#captionChange(caption, true, 'now');
    this.#dropLast();
    this.#captionOpen = false;
    return { change: { name: 'chat.turn' }, urgency: 'now' };
  }

  #captionChange(caption: string, finished: boolean, urgency: Urgency): AppliedEvent {
    this.#put(this.#last, { kind: 'undrawn', caption, error: notDrawnYet });
    return {
      change: { name: 'chat.caption', partIndex: this.#last, caption, finished },
      urgency,
    };
  }

  #closeCaption(part: MessagePart): AppliedEvent {
    this.#openCaption();
    this.#put(this.#last, part);
    this.#captionOpen = false;
    return { change: { name: 'chat.part', partIndex: this.#last, part }, urgency: 'now' };
  }

  #dropLast(): void {
    this.parts.pop();
    this.#unsavedFrom = Math.min(this.#unsavedFrom, this.parts.length);
  }

  #put(index: number, part: MessagePart): void {
    this.parts[index] = part;
    this.#unsavedFrom = Math.min(this.#unsavedFrom, index);
  }
}
