import { z } from 'zod';
import { pictureSchema } from './picture.ts';

/** A stretch of a draft, in order. `uploadId` names a picture as the window composes it. */
export const draftItemSchema = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('text'), text: z.string().max(1_000_000) }),
  z.object({ kind: z.literal('picture'), uploadId: z.string().max(100) }),
]);
export type DraftItem = z.infer<typeof draftItemSchema>;

/** A draft as it is kept: its pictures by the names that its items use; one that is missing was never stored. */
export const keptDraftSchema = z.object({
  items: z.array(draftItemSchema).max(1000),
  pictures: z.record(z.string(), pictureSchema),
});
export type KeptDraft = z.infer<typeof keptDraftSchema>;

/** Key of the draft of a conversation that does not exist yet. */
export const newConversationKey = 'new';
/** The conversation that a draft belongs to. */
export const draftKeySchema = z.union([z.literal(newConversationKey), z.uuid()]);
