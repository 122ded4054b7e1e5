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
  /** Kept at the top of the list. */
  pinned: z.boolean(),
  /** Left out of the list; a search finds it. */
  archived: z.boolean(),
  /** Words that a person groups conversations by. */
  tags: z.array(z.string()),
  /** Hash of its newest picture. */
  thumbnail: z.string().nullable(),
});
export type ConversationSummary = z.infer<typeof conversationSummarySchema>;

/** Bounds of tags. */
export const tagBounds = { mostTags: 20, mostCharacters: 40 } as const;

export const tagSchema = z.string().trim().min(1).max(tagBounds.mostCharacters);

/** What a person changes of a conversation's place in the list; what is left out stays. */
export const conversationMarksSchema = z
  .object({
    pinned: z.boolean(),
    archived: z.boolean(),
    tags: z.array(tagSchema).max(tagBounds.mostTags),
  })
  .partial();
export type ConversationMarks = z.infer<typeof conversationMarksSchema>;

/** Which conversations are listed or searched; what is left out does not matter. */
export const conversationFilterSchema = z
  .object({
    /** Left out: a list has those that are not, a search has all. */
    archived: z.boolean(),
    tag: tagSchema,
    /** Some picture, or one that a model drew. */
    has: z.enum(['picture', 'drawing']),
    /** Name of a model that wrote a reply in it. */
    model: z.string().max(500),
    /** Changed at or after, and before; milliseconds since the epoch. */
    since: z.number().int(),
    until: z.number().int(),
  })
  .partial();
export type ConversationFilter = z.infer<typeof conversationFilterSchema>;

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
