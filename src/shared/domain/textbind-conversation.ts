import { z } from 'zod';

/** Stands in a turn's text where a picture belongs; the n-th of a turn is the n-th of its lists. */
export const imageTag = '<image>';

/** One turn in the data schema of TextBind (`train.json`). */
export const textbindTurnSchema = z
  .object({
    role: z.enum(['user', 'assistant']),
    content: z.string(),
    /** File names relative to `image_dir`. */
    image_list: z.array(z.string()).default([]),
    caption_list: z.array(z.string()).default([]),
  })
  .superRefine((turn, context) => {
    const tags = turn.content.split(imageTag).length - 1;
    if (tags !== turn.image_list.length) {
      context.addIssue({
        code: 'custom',
        path: ['image_list'],
        message: `content has ${tags} ${imageTag} tags but image_list has ${turn.image_list.length} files`,
      });
    }
  });

/** One conversation in the data schema of TextBind, which `textbind chat` reads and both exports write. */
export const textbindConversationSchema = z.object({
  conversation: z.array(textbindTurnSchema).min(1),
  /** Folder of the pictures; relative paths are relative to the JSON file. */
  image_dir: z.string().default('.'),
});
export type TextbindConversation = z.infer<typeof textbindConversationSchema>;
export type TextbindTurn = TextbindConversation['conversation'][number];
