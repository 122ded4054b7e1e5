import { z } from 'zod';
import { wireErrorSchema, type WireError } from '../errors.ts';
import { pictureSchema } from './picture.ts';
import {
  messagePartSchema,
  noticeSchema,
  picturePartSchema,
  textPartSchema,
  turnSchema,
  turnStatusSchema,
  undrawnPartSchema,
  usageSchema,
  type MessagePart,
  type Turn,
} from './turn.ts';

/**
 * A reply while it is written: what may stand in it, what happens to it, and what each event makes of it. Main, the
 * window and the command line all use this one reducer, so that they agree on every reply at every moment.
 */

/** Progress of one drawing. */
export const drawingProgressSchema = z.object({
  kind: z.literal('drawing-step'),
  /** Steps done, 0 to `steps`. */
  step: z.number().int().nonnegative(),
  steps: z.number().int().positive(),
  /** Estimated seconds left; null before the first step. */
  secondsLeft: z.number().nonnegative().nullable(),
  /** A small encoded picture (PNG) of what stands so far; null where none was made for this step. */
  preview: z.instanceof(Uint8Array).nullable(),
  /** Size that the finished picture will have, pixels. */
  width: z.number().int().positive(),
  height: z.number().int().positive(),
});
export type DrawingProgress = z.infer<typeof drawingProgressSchema>;

/** What the worker says of a reply and main passes on as it is. Pieces of text and of captions are to be appended. */
export const writingEventSchemas = [
  z.object({ kind: z.literal('text'), text: z.string() }),
  z.object({ kind: z.literal('caption-started') }),
  z.object({ kind: z.literal('caption-text'), text: z.string() }),
  z.object({ kind: z.literal('caption-finished'), caption: z.string() }),
  drawingProgressSchema,
  z.object({ kind: z.literal('drawing-failed'), caption: z.string(), error: wireErrorSchema }),
  z.object({ kind: z.literal('notice'), notice: noticeSchema }),
] as const;

/** A place where a caption is being written or a picture is being drawn: at most one in a reply. Never stored. */
export const drawingPartSchema = z.object({
  kind: z.literal('drawing'),
  caption: z.string(),
  /** The caption is whole; drawing has begun or is about to. */
  captionFinished: z.boolean(),
  /** Steps done and in all; null before the first progress. */
  step: z.number().int().nullable(),
  steps: z.number().int().nullable(),
  secondsLeft: z.number().nullable(),
  /** The latest preview, encoded PNG. Kept over steps that bring none. */
  preview: z.instanceof(Uint8Array).nullable(),
  /** Size of the picture to come, pixels; null until it is known. */
  width: z.number().int().nullable(),
  height: z.number().int().nullable(),
  /** What stood here before it was drawn again, and stands in the stored turn until that has ended. */
  previous: messagePartSchema.nullable(),
});
export type DrawingPart = z.infer<typeof drawingPartSchema>;

export const replyPartSchema = z.discriminatedUnion('kind', [
  textPartSchema,
  picturePartSchema,
  undrawnPartSchema,
  drawingPartSchema,
]);
export type ReplyPart = z.infer<typeof replyPartSchema>;

/** A turn as it is at this moment: a stored turn, or one that streams. */
export const replySchema = turnSchema.extend({ parts: z.array(replyPartSchema) });
export type Reply = Readonly<Omit<Turn, 'parts'>> & { readonly parts: readonly ReplyPart[] };

/** Everything that happens to a reply, in order, from its begin to its end. */
export const replyEventSchema = z.discriminatedUnion('kind', [
  z.object({
    kind: z.literal('begun'),
    conversationId: z.uuid(),
    /** Turns that are new before the reply: the person's, where one was sent. */
    turns: z.array(turnSchema),
    /** The reply as it begins: empty, or what was there where it goes on or is drawn in again. */
    reply: replySchema,
    /** The turn in whose place `turns` and the reply stand: it leaves the view with all that follows it. */
    replaces: z.uuid().nullable(),
  }),
  /** The engine is ready, and its model is asked. */
  z.object({ kind: z.literal('asked'), model: z.string().nullable() }),
  ...writingEventSchemas,
  /** The picture is drawn, and stored. */
  z.object({ kind: z.literal('picture'), picture: pictureSchema }),
  z.object({
    kind: z.literal('ended'),
    status: turnStatusSchema.exclude(['streaming']),
    error: wireErrorSchema.nullable(),
    usage: usageSchema.nullable(),
  }),
]);
export type ReplyEvent = z.infer<typeof replyEventSchema>;
export type ReplyBegun = Extract<ReplyEvent, { kind: 'begun' }>;
export type ReplyEnded = Extract<ReplyEvent, { kind: 'ended' }>;

/**
 * An event on its way. `sequence` counts a turn's events for as long as the app runs, over all its begins; whoever finds
 * a number left out has missed an event.
 */
export const replyMessageSchema = z.object({
  turnId: z.uuid(),
  sequence: z.number().int().nonnegative(),
  event: replyEventSchema,
});
export type ReplyMessage = z.infer<typeof replyMessageSchema>;

/** A turn at a moment, for whoever missed an event: its next one is number `sequence` + 1. */
export const replySnapshotSchema = z.object({
  conversationId: z.uuid(),
  sequence: z.number().int().nonnegative(),
  reply: replySchema,
});
export type ReplySnapshot = z.infer<typeof replySnapshotSchema>;

const notDrawnYet: WireError = {
  kind: 'cancelled',
  message: 'The reply ended before this picture was drawn.',
  detail: null,
};

/**
 * The reply after `event`. Pure; parts that the event does not touch stay the same objects. A turn that no longer
 * streams is returned as it is, for nothing comes after its end but another begin.
 */
export function applyReplyEvent(reply: Reply, event: ReplyEvent): Reply {
  if (event.kind === 'begun') return event.reply;
  if (reply.status !== 'streaming') return reply;
  switch (event.kind) {
    case 'asked':
      return { ...reply, model: event.model };
    case 'notice':
      return { ...reply, notices: [...reply.notices, event.notice] };
    case 'ended': {
      const { status, error, usage } = event;
      return { ...reply, status, error, usage, parts: closeDrawing(reply.parts) };
    }
    default:
      return { ...reply, parts: applyToParts(reply.parts, event) };
  }
}

type WritingEvent = Exclude<ReplyEvent, { kind: 'begun' | 'asked' | 'notice' | 'ended' }>;

function applyToParts(parts: readonly ReplyPart[], event: WritingEvent): readonly ReplyPart[] {
  switch (event.kind) {
    case 'text':
      return appendText(closeDrawing(parts), event.text);
    case 'caption-started':
      return changeDrawing(parts, (drawing) => drawing);
    case 'caption-text':
      return changeDrawing(parts, (drawing) => ({
        ...drawing,
        caption: drawing.caption + event.text,
      }));
    case 'caption-finished':
      return finishCaption(parts, event.caption);
    case 'drawing-step':
      return changeDrawing(parts, (drawing) => progressed(drawing, event));
    case 'picture':
      return changeDrawing(parts, () => ({ kind: 'picture', picture: event.picture }));
    case 'drawing-failed':
      return changeDrawing(parts, ({ previous }) => afterFailure(previous, event));
    default:
      return event satisfies never;
  }
}

/** The turn to store now: whole at any moment, so that a crash needs no repair of its parts. */
export function storedTurn(reply: Reply): Turn {
  return { ...reply, parts: reply.parts.map(storedPart) };
}

/** What stands in the stored turn for a part: for a drawing, its caption, or what it is to replace. */
export function storedPart(part: ReplyPart): MessagePart {
  if (part.kind !== 'drawing') return part;
  return part.previous ?? { kind: 'undrawn', caption: part.caption, error: notDrawnYet };
}

/** A place where `caption` is to be drawn, over `previous`. */
export function drawingOver(caption: string, previous: MessagePart | null): DrawingPart {
  const size = previous?.kind === 'picture' ? previous.picture : null;
  return {
    kind: 'drawing',
    caption,
    captionFinished: previous !== null,
    step: null,
    steps: null,
    secondsLeft: null,
    preview: null,
    width: size?.width ?? null,
    height: size?.height ?? null,
    previous,
  };
}

function appendText(parts: readonly ReplyPart[], text: string): readonly ReplyPart[] {
  const last = parts.at(-1);
  if (last?.kind !== 'text') return [...parts, { kind: 'text', text }];
  return parts.with(-1, { kind: 'text', text: last.text + text });
}

/** Changes the place where something is drawn; one is opened at the end where there is none. */
function changeDrawing(
  parts: readonly ReplyPart[],
  change: (drawing: DrawingPart) => ReplyPart,
): readonly ReplyPart[] {
  const index = parts.findIndex(({ kind }) => kind === 'drawing');
  const part = parts[index];
  return part?.kind === 'drawing'
    ? parts.with(index, change(part))
    : [...parts, change(drawingOver('', null))];
}

/** A caption without a word leaves no part behind. */
function finishCaption(parts: readonly ReplyPart[], caption: string): readonly ReplyPart[] {
  const finished = changeDrawing(parts, (drawing) => ({
    ...drawing,
    caption,
    captionFinished: true,
  }));
  return caption.trim() === '' ? closeDrawing(finished) : finished;
}

/** Nothing more will be drawn there: what was, or the caption, stays. */
function closeDrawing(parts: readonly ReplyPart[]): readonly ReplyPart[] {
  const index = parts.findIndex(({ kind }) => kind === 'drawing');
  const part = parts[index];
  if (part?.kind !== 'drawing') return parts;
  const isEmpty = part.previous === null && part.caption.trim() === '';
  return isEmpty ? parts.toSpliced(index, 1) : parts.with(index, storedPart(part));
}

function progressed(drawing: DrawingPart, progress: DrawingProgress): DrawingPart {
  const { step, steps, secondsLeft, preview, width, height } = progress;
  return {
    ...drawing,
    captionFinished: true,
    step,
    steps,
    secondsLeft,
    preview: preview ?? drawing.preview,
    width,
    height,
  };
}

/** A picture that was there stays. A caption without one learns the new reason. */
function afterFailure(
  previous: MessagePart | null,
  { caption, error }: { readonly caption: string; readonly error: WireError },
): MessagePart {
  return previous?.kind === 'picture' ? previous : { kind: 'undrawn', caption, error };
}
