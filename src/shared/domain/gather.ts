import { z } from 'zod';
import { messagePartSchema, ratingSchema, turnStatusSchema } from './turn.ts';

/** Conversations of the app as training data: what is taken of them, and what it looks like before it is written. */

/**
 * Which conversations. `rated`: of each that has a reply rated up, what leads to its last one, on every branch.
 * `some`: these, on their current paths.
 */
export const gatherFromSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('rated') }),
  z.object({ kind: z.literal('some'), conversationIds: z.array(z.uuid()).max(100_000) }),
]);
export type GatherFrom = z.infer<typeof gatherFromSchema>;

/** A message with its reply: the least that is taken or left out. */
export const gatheredExchangeSchema = z.object({
  replyId: z.uuid(),
  /** As they are shown: long words are cut. */
  message: z.array(messagePartSchema),
  reply: z.array(messagePartSchema),
  rating: ratingSchema.nullable(),
  status: turnStatusSchema,
  /** Whether it is taken if a person says nothing: not what is rated down, nor what broke off unless it is rated up. */
  taken: z.boolean(),
});
export type GatheredExchange = z.infer<typeof gatheredExchangeSchema>;

/** A row of the data set to come. */
export const gatheredRowSchema = z.object({
  /** Its last reply. */
  id: z.uuid(),
  conversationId: z.uuid(),
  title: z.string(),
  exchanges: z.array(gatheredExchangeSchema).min(1),
});
export type GatheredRow = z.infer<typeof gatheredRowSchema>;
