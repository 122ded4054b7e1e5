import { z } from 'zod';

/** A place of the window that a link may lead to. */
export const openedPlaceSchema = z.object({
  place: z.enum(['chat', 'trash', 'gallery', 'training', 'models', 'settings']),
  /** The conversation to show there; null: whatever stood there. */
  conversationId: z.uuid().nullable(),
});
export type OpenedPlace = z.infer<typeof openedPlaceSchema>;
