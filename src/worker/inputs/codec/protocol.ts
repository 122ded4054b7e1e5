import { z } from 'zod';
import { wireErrorSchema } from '../../../shared/errors.ts';
import type { RgbImage } from '../resize.ts';

/** What the thread that decodes is asked, one question after another. `name` is what errors call the picture. */
export type CodecQuestion =
  /** Whether it decodes; the answer has no bytes. */
  | { readonly kind: 'check'; readonly bytes: Uint8Array; readonly name: string }
  /** RGB, [height, width, 3]. */
  | { readonly kind: 'pixels'; readonly bytes: Uint8Array; readonly name: string }
  /** A JPEG whose longest side is at most `side` pixels; the answer has the picture's own size. */
  | {
      readonly kind: 'thumbnail';
      readonly bytes: Uint8Array;
      readonly name: string;
      readonly side: number;
    }
  /** A PNG of pixels of our own; `maxSide` makes it small. */
  | { readonly kind: 'png'; readonly image: RgbImage; readonly maxSide: number | null };

const bytesSchema = z.custom<Uint8Array<ArrayBuffer>>(
  (value) => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer,
);
const size = z.number().int().positive();

/** Checked like what comes from another process: the thread has looked at strangers' bytes. */
export const fromCodecSchema = z.union([
  z.object({ kind: z.literal('ready'), sharp: z.string(), vips: z.string() }),
  z.object({
    kind: z.literal('answer'),
    id: z.number(),
    width: size,
    height: size,
    bytes: bytesSchema,
  }),
  z.object({ kind: z.literal('error'), id: z.number(), error: wireErrorSchema }),
]);
export type FromCodec = z.infer<typeof fromCodecSchema>;

export type CodecAnswer = Pick<
  Extract<FromCodec, { readonly kind: 'answer' }>,
  'width' | 'height' | 'bytes'
>;

export interface ToCodec {
  readonly id: number;
  readonly question: CodecQuestion;
}
