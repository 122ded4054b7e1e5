import { z } from 'zod';
import {
  drawingSchema,
  mostSystemCharacters,
  samplingSchema,
  type DrawingSettings,
  type Sampling,
  type Settings,
} from './settings.ts';

/** What one conversation is answered by. A group that is left out is as everywhere (`settingsSchema`). */
export const conversationSettingsSchema = z
  .object({
    /** What the model is told before the conversation; empty: nothing. */
    system: z.string().max(mostSystemCharacters),
    sampling: samplingSchema,
    drawing: drawingSchema,
  })
  .partial();
export type ConversationSettings = z.infer<typeof conversationSettingsSchema>;

/** What a conversation is answered by, own or not. */
export interface EffectiveSettings {
  readonly system: string;
  readonly sampling: Sampling;
  readonly drawing: DrawingSettings;
}

/** Settings of everywhere with a conversation's own over them. */
export function effectiveSettings(
  settings: Pick<Settings, 'sampling' | 'drawing'>,
  own: ConversationSettings,
): EffectiveSettings {
  return {
    system: own.system ?? '',
    sampling: own.sampling ?? settings.sampling,
    drawing: own.drawing ?? settings.drawing,
  };
}
