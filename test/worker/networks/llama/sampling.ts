/** Sampling in plain TypeScript, single precision where the graph has it: the reference for sample.ts. */

const { fround } = Math;

/** How to choose. */
export interface PlainSampling {
  readonly temperature: number;
  readonly topK: number;
  readonly topP: number;
}

/** The token that `uniform` picks from logits [vocabulary]. */
export function samplePlainly(
  logits: Float32Array,
  sampling: PlainSampling,
  uniform: number,
): number {
  const order = Array.from(logits.keys()).sort(
    (a, b) => (logits[b] as number) - (logits[a] as number) || a - b,
  );
  if (sampling.temperature <= 0) return order[0] as number;
  const candidates = sampling.topK > 0 ? order.slice(0, sampling.topK) : order;
  const scaled = candidates.map((id) =>
    fround((logits[id] as number) / fround(sampling.temperature)),
  );
  const powers = scaled.map((value) => Math.exp(value - (scaled[0] as number)));
  const total = powers.reduce((sum, value) => sum + value, 0);
  const p = powers.map((value) => value / total);
  let before = 0;
  let kept = 0;
  let mass = 0;
  for (const each of p) {
    if (before >= fround(sampling.topP)) break;
    before += each;
    mass += each;
    kept += 1;
  }
  let reached = 0;
  for (let index = 0; index < kept; index += 1) {
    reached += p[index] as number;
    if (reached > fround(uniform) * mass) return candidates[index] as number;
  }
  return candidates[kept - 1] as number;
}
