import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';
import { pictureSchema } from './picture.ts';

export const textPartSchema = z.object({ kind: z.literal('text'), text: z.string() });

export const picturePartSchema = z.object({ kind: z.literal('picture'), picture: pictureSchema });

/** A picture that the model asked for and that was not drawn: the caption is kept, and can be drawn again. */
export const undrawnPartSchema = z.object({
  kind: z.literal('undrawn'),
  caption: z.string(),
  error: wireErrorSchema,
});
export type UndrawnPart = z.infer<typeof undrawnPartSchema>;

export const messagePartSchema = z.discriminatedUnion('kind', [
  textPartSchema,
  picturePartSchema,
  undrawnPartSchema,
]);
/** One stretch of a turn, in order: its place is what the model sees. */
export type MessagePart = z.infer<typeof messagePartSchema>;

/**
 * `streaming`: being written now. `complete`: the model ended it. `cut`: it reached the token limit.
 * `stopped`: a person pressed Stop. `interrupted`: the worker or the app died under it. `failed`: see `error`.
 */
export const turnStatusSchema = z.enum([
  'streaming',
  'complete',
  'cut',
  'stopped',
  'interrupted',
  'failed',
]);
export type TurnStatus = z.infer<typeof turnStatusSchema>;

/** Figures of one reply. */
export const usageSchema = z.object({
  promptTokens: z.number().int().nonnegative(),
  replyTokens: z.number().int().nonnegative(),
  prefillSeconds: z.number().nonnegative(),
  decodeSeconds: z.number().nonnegative(),
  firstTokenSeconds: z.number().nonnegative().nullable(),
  pictures: z.number().int().nonnegative(),
  drawSeconds: z.number().nonnegative(),
});
export type Usage = z.infer<typeof usageSchema>;

/** Something a person should know about a reply: a trimmed context, a caption that was cut. */
export const noticeSchema = z.object({
  code: z.enum([
    'context-trimmed',
    'caption-cut',
    'caption-empty',
    'too-many-pictures',
    'stray-end',
    'picture-unreadable',
    /** Part of the turn could not be read from the database. */
    'damaged',
  ]),
  message: z.string(),
});
export type Notice = z.infer<typeof noticeSchema>;

/**
 * What a person wishes of one reply: that it begins with a picture, or that it is words alone. Where nothing is wished
 * the model decides.
 */
export const pictureWishSchema = z.enum(['draw', 'words']);
export type PictureWish = z.infer<typeof pictureWishSchema>;

/** What a person chooses for one reply in place of the conversation's; a null seed is a fresh one. */
export const replySamplingSchema = z.object({
  temperature: z.number().min(0).max(2),
  topK: z.number().int().min(0).max(1000),
  topP: z.number().gt(0).max(1),
  seed: z.number().int().nonnegative().max(0xffff_ffff).nullable(),
});
export type ReplySampling = z.infer<typeof replySamplingSchema>;

/** What a reply's tokens were chosen by, so that it can be written again exactly. */
export const replyRecipeSchema = z.object({
  seed: z.number().int().nonnegative().max(0xffff_ffff),
  temperature: z.number().min(0),
  topK: z.number().int().min(0),
  topP: z.number().gt(0).max(1),
  wish: pictureWishSchema.optional(),
});
export type ReplyRecipe = z.infer<typeof replyRecipeSchema>;

/** What a person thinks of a reply. */
export const ratingSchema = z.enum(['up', 'down']);
export type Rating = z.infer<typeof ratingSchema>;

export const turnSchema = z.object({
  id: z.uuid(),
  role: z.enum(['user', 'assistant']),
  parts: z.array(messagePartSchema),
  status: turnStatusSchema,
  error: wireErrorSchema.nullable(),
  notices: z.array(noticeSchema),
  usage: usageSchema.nullable(),
  /** Name of the model that wrote it; null for a person's turn. */
  model: z.string().nullable(),
  /** Absent for a person's turn, and for replies of before it was kept. */
  recipe: replyRecipeSchema.optional(),
  /** Absent where nobody rated it. */
  rating: ratingSchema.optional(),
  /** Milliseconds since the epoch. */
  createdAt: z.number().int(),
});
export type Turn = z.infer<typeof turnSchema>;

/** A turn in which nothing stands yet. */
export function emptyTurn(about: Pick<Turn, 'id' | 'role' | 'createdAt'>): Turn {
  return {
    ...about,
    parts: [],
    status: 'streaming',
    error: null,
    notices: [],
    usage: null,
    model: null,
  };
}
