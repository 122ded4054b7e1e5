import type { AppEventBody } from '../../shared/contracts/app-ipc.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';

/** A place of a reply where a caption is being written or a picture is being drawn. Never stored. */
export interface DrawingPart {
  readonly kind: 'drawing';
  readonly caption: string;
  /** The caption is whole; drawing has begun or is about to. */
  readonly captionFinished: boolean;
  /** Steps done and in all; null before the first progress. */
  readonly step: number | null;
  readonly steps: number | null;
  readonly secondsLeft: number | null;
  /** The latest preview, encoded PNG. Kept over steps that bring none. */
  readonly preview: Uint8Array | null;
  /** Size of the picture to come, pixels; null until it is known. */
  readonly width: number | null;
  readonly height: number | null;
  /** What stood here before a redraw. */
  readonly previous: MessagePart | null;
}

/** A part as the window shows it. `gap` holds an index whose first event has not come yet. */
export type PartView = MessagePart | DrawingPart | { readonly kind: 'gap' };

/** A turn as the window shows it: a stored turn, or one that streams. */
export type TurnView = Readonly<Omit<Turn, 'parts'>> & { readonly parts: readonly PartView[] };

/** The events that change a streaming turn, by name. */
export type TurnEvent =
  | { readonly name: 'chat.text'; readonly body: AppEventBody<'chat.text'> }
  | { readonly name: 'chat.caption'; readonly body: AppEventBody<'chat.caption'> }
  | { readonly name: 'chat.drawing'; readonly body: AppEventBody<'chat.drawing'> }
  | { readonly name: 'chat.part'; readonly body: AppEventBody<'chat.part'> }
  | { readonly name: 'chat.notice'; readonly body: AppEventBody<'chat.notice'> };

/** More parts than any reply has; an index beyond it is a fault of the sender and is ignored. */
const maxParts = 1000;

/**
 * The turn after `event`. Pure. A turn that no longer streams is returned as it is: what is stored wins over a late
 * event. An event that contradicts what stands at its index (text where a picture is) changes nothing either, since
 * `chat.turn` settles the truth in the end.
 */
export function applyTurnEvent(turn: TurnView, event: TurnEvent): TurnView {
  if (turn.status !== 'streaming') return turn;
  switch (event.name) {
    case 'chat.text':
      return changePart(turn, event.body.partIndex, (part) => appendText(part, event.body.text));
    case 'chat.caption':
      return changePart(turn, event.body.partIndex, (part) => {
        const drawing = drawingAt(part);
        if (drawing === null) return part;
        return {
          ...drawing,
          caption: event.body.caption,
          captionFinished: event.body.finished || drawing.captionFinished,
        };
      });
    case 'chat.drawing':
      return changePart(turn, event.body.partIndex, (part) => {
        const drawing = drawingAt(part);
        if (drawing === null) return part;
        const { progress } = event.body;
        // Steps only go up: an older progress that overtook a newer one must not take the picture back.
        if (drawing.step !== null && progress.step < drawing.step) return part;
        return {
          ...drawing,
          captionFinished: true,
          step: progress.step,
          steps: progress.steps,
          secondsLeft: progress.secondsLeft,
          preview: progress.preview ?? drawing.preview,
          width: progress.width,
          height: progress.height,
        };
      });
    case 'chat.part':
      return changePart(turn, event.body.partIndex, () => event.body.part);
    case 'chat.notice':
      return { ...turn, notices: [...turn.notices, event.body.notice] };
    default:
      return event satisfies never;
  }
}

/** Text and captions of a turn in reading order, for a screen reader and for copying. */
export function plainTextOf(turn: TurnView): string {
  return turn.parts
    .map((part) => {
      if (part.kind === 'text') return part.text.trim();
      if (part.kind === 'gap') return '';
      const caption = captionOf(part);
      return caption === '' ? '[picture]' : `[picture: ${caption}]`;
    })
    .filter((piece) => piece !== '')
    .join('\n');
}

/** The words that belong to a part's picture; empty where there are none. */
export function captionOf(part: PartView): string {
  switch (part.kind) {
    case 'picture':
      return part.picture.caption ?? '';
    case 'undrawn':
    case 'drawing':
      return part.caption;
    case 'text':
    case 'gap':
      return '';
    default:
      return part satisfies never;
  }
}

function changePart(turn: TurnView, index: number, change: (part: PartView) => PartView): TurnView {
  if (index >= maxParts) return turn;
  const parts = [...turn.parts];
  while (parts.length <= index) parts.push({ kind: 'gap' });
  const before = parts[index] ?? { kind: 'gap' };
  const after = change(before);
  if (after === before) return turn;
  parts[index] = after;
  return { ...turn, parts };
}

function appendText(part: PartView, text: string): PartView {
  if (part.kind === 'gap') return { kind: 'text', text };
  if (part.kind === 'text') return { kind: 'text', text: part.text + text };
  return part;
}

function drawingAt(part: PartView): DrawingPart | null {
  if (part.kind === 'drawing') return part;
  if (part.kind === 'text') return null;
  const picture = part.kind === 'picture' ? part.picture : null;
  return {
    kind: 'drawing',
    caption: captionOf(part),
    captionFinished: false,
    step: null,
    steps: null,
    secondsLeft: null,
    preview: null,
    width: picture?.width ?? null,
    height: picture?.height ?? null,
    previous: part.kind === 'gap' ? null : part,
  };
}
