import { z } from 'zod';
import { turnSchema } from './turn.ts';

/** What the conversation list shows. */
export const conversationSummarySchema = z.object({
  id: z.uuid(),
  title: z.string(),
  /** Milliseconds since the epoch. */
  createdAt: z.number().int(),
  updatedAt: z.number().int(),
  turnCount: z.number().int().nonnegative(),
  /** For a search: the found words in their surroundings, plain text. Null in the plain list. */
  snippet: z.string().nullable(),
});
export type ConversationSummary = z.infer<typeof conversationSummarySchema>;

export const conversationSchema = z.object({
  summary: conversationSummarySchema,
  turns: z.array(turnSchema),
});
export type Conversation = z.infer<typeof conversationSchema>;
