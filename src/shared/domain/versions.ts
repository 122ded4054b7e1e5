import { z } from 'zod';

/** A place of a turn whose drawing has more than one version. */
export const drawingVersionsSchema = z.object({
  turnId: z.uuid(),
  partIndex: z.number().int().nonnegative(),
  count: z.number().int().min(2),
  /** Which of them is current, from 0, oldest first. */
  current: z.number().int().nonnegative(),
});
export type DrawingVersions = z.infer<typeof drawingVersionsSchema>;

/** Where a conversation, as far as its current path shows it, has more than one version. */
export const conversationVersionsSchema = z.object({
  /** Turns that stand in for each other, oldest first; one of each list is on the current path, or streams. */
  turns: z.array(z.array(z.uuid()).min(2)),
  drawings: z.array(drawingVersionsSchema),
});
export type ConversationVersions = z.infer<typeof conversationVersionsSchema>;

export const noVersions: ConversationVersions = { turns: [], drawings: [] };
