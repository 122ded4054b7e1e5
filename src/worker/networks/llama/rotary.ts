/** Tables of cosines and sines for rotary position embedding. */
import type { DataType, Value } from '../../graph/index.ts';
import { constant } from '../../graph/index.ts';
import type { LlamaConfig, RopeScaling } from './config.ts';

function scaleFrequency(frequency: number, scaling: RopeScaling): number {
  switch (scaling.kind) {
    case 'none':
      return frequency;
    case 'linear':
      return frequency / scaling.factor;
    case 'llama3': {
      // transformers, modeling_rope_utils.py, _compute_llama3_parameters.
      const wavelength = (2 * Math.PI) / frequency;
      const original = scaling.originalMaxPositions;
      if (wavelength < original / scaling.highFrequencyFactor) return frequency;
      if (wavelength > original / scaling.lowFrequencyFactor) return frequency / scaling.factor;
      const smooth =
        (original / wavelength - scaling.lowFrequencyFactor) /
        (scaling.highFrequencyFactor - scaling.lowFrequencyFactor);
      return ((1 - smooth) * frequency) / scaling.factor + smooth * frequency;
    }
    default:
      return scaling satisfies never;
  }
}

/** The angular frequency of each pair of a head's elements: [headSize / 2], radians a position. */
export function rotaryFrequencies(config: LlamaConfig): readonly number[] {
  const { headSize, ropeTheta, ropeScaling } = config;
  return Array.from({ length: headSize / 2 }, (_, pair) =>
    scaleFrequency(ropeTheta ** ((-2 * pair) / headSize), ropeScaling),
  );
}

/** Cosines and sines [positions, headSize / 2] of the first `positions` positions. */
export function rotaryTables(
  config: LlamaConfig,
  positions: number,
  dtype: DataType,
): { readonly cos: Value; readonly sin: Value } {
  // The reference keeps frequencies and angles in float32; so do we, or far positions drift apart.
  const frequencies = rotaryFrequencies(config).map(Math.fround);
  const table = (wave: (angle: number) => number): Value => {
    const values = new Float32Array(positions * frequencies.length);
    for (let position = 0; position < positions; position += 1) {
      frequencies.forEach((frequency, pair) => {
        values[position * frequencies.length + pair] = wave(Math.fround(position * frequency));
      });
    }
    return constant(values, dtype, [positions, frequencies.length]);
  };
  return { cos: table(Math.cos), sin: table(Math.sin) };
}
