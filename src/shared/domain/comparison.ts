import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';
import { replySchema } from './reply.ts';
import { messagePartSchema } from './turn.ts';

/** The same message answered by two models, side by side, and which answers people found better. */

/** A or B: the order in which they are shown. */
export const sideSchema = z.enum(['A', 'B']);
export type Side = z.infer<typeof sideSchema>;

/** `both`, `neither`: as good or as poor as each other. */
export const verdictSchema = z.enum(['A', 'B', 'both', 'neither']);
export type Verdict = z.infer<typeof verdictSchema>;

/** What both are asked: words, or what a reply of a conversation was asked. */
export const comparisonPromptSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string().trim().min(1).max(20_000) }),
  z.object({ kind: z.literal('reply'), turnId: z.uuid() }),
]);
export type ComparisonPrompt = z.infer<typeof comparisonPromptSchema>;

export const comparedModelSchema = z.object({ name: z.string(), folder: z.string() });
export type ComparedModel = z.infer<typeof comparedModelSchema>;

export const comparedSideSchema = z.object({
  side: sideSchema,
  /** Null while nobody may know. */
  model: comparedModelSchema.nullable(),
  state: z.enum(['waiting', 'opening', 'answering', 'done', 'failed']),
  reply: replySchema,
  error: wireErrorSchema.nullable(),
  /** From its asking to its end; null before that. */
  seconds: z.number().nonnegative().nullable(),
});
export type ComparedSide = z.infer<typeof comparedSideSchema>;

export const comparisonSchema = z.object({
  id: z.uuid(),
  blind: z.boolean(),
  /** The last message, as it is shown. */
  message: z.array(messagePartSchema),
  sides: z.tuple([comparedSideSchema, comparedSideSchema]),
  verdict: verdictSchema.nullable(),
  /** Says what had to be done for want of memory; null where nothing was. */
  note: z.string().nullable(),
});
export type Comparison = z.infer<typeof comparisonSchema>;

/** How often each of two models was found better. */
export const tallySchema = z.object({
  models: z.tuple([comparedModelSchema, comparedModelSchema]),
  /** Of the first, of the second. */
  wins: z.tuple([z.number().int(), z.number().int()]),
  both: z.number().int(),
  neither: z.number().int(),
  /** How many of all these were judged without knowing which was which. */
  blind: z.number().int(),
});
export type Tally = z.infer<typeof tallySchema>;
