import { z } from 'zod';
import { turnSchema } from './turn.ts';
import { conversationVersionsSchema } from './versions.ts';

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

/** A conversation in the trash. */
export const deletedConversationSchema = conversationSummarySchema.extend({
  /** Milliseconds since the epoch. */
  deletedAt: z.number().int(),
});
export type DeletedConversation = z.infer<typeof deletedConversationSchema>;

/** How long a deleted conversation, turn or version is kept. */
export const keptDays = 30;

export const conversationSchema = z.object({
  summary: conversationSummarySchema,
  /** The current path: of every turn and every drawing the version that is current. */
  turns: z.array(turnSchema),
  versions: conversationVersionsSchema,
});
export type Conversation = z.infer<typeof conversationSchema>;
