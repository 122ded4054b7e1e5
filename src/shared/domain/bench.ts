import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';
import { pictureSchema } from './picture.ts';
import { drawingSizeSchema } from './settings.ts';

/** Everything that one drawing is drawn from, beside its caption. */
export const drawingPlanSchema = z.object({
  seed: z.number().int().nonnegative().max(0xffff_ffff),
  steps: z.number().int().min(1).max(150),
  /** Null: what suits the model. */
  guidance: z.number().min(1).max(30).nullable(),
  negative: z.string().max(2000),
  /** Null: the model's own. */
  size: drawingSizeSchema.nullable(),
});
export type DrawingPlan = z.infer<typeof drawingPlanSchema>;

/** One drawing of the bench, from its queueing on. It is kept while the app runs; in a reply it becomes a version. */
export const benchDrawingSchema = z.object({
  id: z.uuid(),
  /** What bench it stands on: those of one place are shown together. */
  bench: z.string().max(100),
  caption: z.string(),
  plan: drawingPlanSchema,
  state: z.enum(['queued', 'drawing', 'done', 'failed', 'cancelled']),
  /** Steps done and in all. */
  step: z.number().int().nonnegative(),
  steps: z.number().int().positive(),
  secondsLeft: z.number().nonnegative().nullable(),
  /** The latest preview, encoded PNG. */
  preview: z.instanceof(Uint8Array).nullable(),
  picture: pictureSchema.nullable(),
  error: wireErrorSchema.nullable(),
});
export type BenchDrawing = z.infer<typeof benchDrawingSchema>;

/** What the drawings of one go differ in. */
export const varied = ['seed', 'guidance', 'steps', 'size'] as const;
export type Varied = (typeof varied)[number];

/** How many are drawn in one go. */
export const drawingsAtOnce = 4;

/** What an open model can draw. */
export interface DrawingRange {
  /** Pixels of one side of its own size; the sides of others are multiples of `step`. */
  readonly side: number;
  readonly step: number;
  /** What suits it. */
  readonly guidance: number;
}

const mostSeeds = 0x1_0000_0000;
/** Guidance and steps, as shares of what was set: as many as are drawn in one go. */
const shares = { guidance: [0.6, 1, 1.5, 2.2], steps: [0.4, 0.7, 1, 1.5] } as const;
/** Sides of a square of the same area, as shares. */
const shapes = [
  [1, 1],
  [1.25, 0.75],
  [0.75, 1.25],
  [1.5, 0.625],
] as const;

/** The plans of one go: as `base`, but for what they differ in. Without that there is one. */
export function planDrawings(
  base: DrawingPlan,
  differ: Varied | null,
  range: DrawingRange,
): readonly DrawingPlan[] {
  switch (differ) {
    case null:
      return [base];
    case 'seed':
      return Array.from({ length: drawingsAtOnce }, (_, index) => ({
        ...base,
        seed: (base.seed + index) % mostSeeds,
      }));
    case 'guidance': {
      const middle = base.guidance ?? range.guidance;
      return shares.guidance.map((share) => {
        const guidance = Math.round(middle * share * 10) / 10;
        return { ...base, guidance: Math.min(Math.max(guidance, 1), 30) };
      });
    }
    case 'steps':
      return shares.steps.map((share) => {
        const steps = Math.round(base.steps * share);
        return { ...base, steps: Math.min(Math.max(steps, 1), 150) };
      });
    case 'size':
      return sizesOf(range).map((size) => ({ ...base, size }));
    default:
      return differ satisfies never;
  }
}

/** Sizes to choose from: the model's own square, and wide and tall ones of about its area. */
export function sizesOf({
  side,
  step,
}: DrawingRange): readonly { width: number; height: number }[] {
  const fit = (share: number): number => Math.max(step, Math.round((side * share) / step) * step);
  return shapes.map(([width, height]) => ({ width: fit(width), height: fit(height) }));
}

/** What stands on one bench: the drawings of one place of a reply, or, without a place, those for a message. */
export function benchOf(
  place: { readonly turnId: string; readonly partIndex: number } | null,
): string {
  return place === null ? 'message' : `${place.turnId}/${place.partIndex}`;
}
