/** Which layers of a language model keep 8 bits, where all others get 4: those in which 4 bits were measured to cost most. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';

const layerCostSchema = z.object({
  /** Kullback-Leibler divergence of what the model expects next, nats a token. */
  divergence: z.number(),
  /** Share of tokens for which the likeliest one stays the same. */
  agreement: z.number(),
});
/** What 4 bits in one layer cost, all others being as they were. */
export type LayerCost = z.infer<typeof layerCostSchema>;

const fileName = 'layer-costs.json';
const fileSchema = z.object({ layers: z.array(layerCostSchema).min(1) });

/** What all layers together may take, as a multiple of what they take in 4 bits. */
const budget = 1.15;
/** Bytes of a weight in blocks of 32: its code, and its share of a scale and a zero point. */
const bytesPerWeight = { 4: 0.5 + 2 / 32 + 0.5 / 32, 8: 1 + 2 / 32 + 1 / 32 } as const;

/** Bytes of a layer's weight, at the most, in the mixture. */
export const mixedBytesPerWeight = budget * bytesPerWeight[4];

/** Bits of each layer: 8 for the dearest, as many as the budget pays for; layers are alike in size. */
export function chooseLayerBits(costs: readonly LayerCost[]): readonly (4 | 8)[] {
  const extra = (bytesPerWeight[8] - bytesPerWeight[4]) / bytesPerWeight[4];
  const count = Math.floor(((budget - 1) * costs.length) / extra);
  const dearest = costs
    .map(({ divergence }, layer) => ({ divergence, layer }))
    .sort((left, right) => right.divergence - left.divergence)
    .slice(0, count);
  return costs.map((_, layer) => (dearest.some((each) => each.layer === layer) ? 8 : 4));
}

/** Measures, and keeps the result in the folder: an import that is gone on with must not choose anew. */
export async function measureOnce(
  folder: string,
  measure: () => Promise<readonly LayerCost[]>,
): Promise<readonly LayerCost[]> {
  const file = path.join(folder, fileName);
  if (existsSync(file)) return readJsonFile(file, fileSchema, 'storage').layers;
  const layers = await measure();
  mkdirSync(folder, { recursive: true });
  writeJsonFileSync(file, { layers });
  return layers;
}
