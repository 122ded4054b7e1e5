/** Reference checkpoints and comparison for the Llama tests. */
import { join } from 'node:path';
import {
  openCheckpoint,
  readFloats,
  readTensorBytes,
} from '../../../../src/worker/weights/index.ts';
import { runPython } from '../../../golden/run-python.ts';

/** A small checkpoint and what transformers computes with it. */
export interface Reference {
  readonly folder: string;
  readonly floats: (name: string) => Float32Array;
  readonly ids: (name: string) => number[];
}

const base = {
  vocab_size: 101,
  hidden_size: 96,
  intermediate_size: 76,
  num_hidden_layers: 3,
  num_attention_heads: 6,
  num_key_value_heads: 2,
  max_position_embeddings: 128,
  tie_word_embeddings: true,
  length: 11,
  new_tokens: 20,
  seed: 1,
  store: 'float32',
};

/** Changes to `base` by name. All are made by one run of Python, which is slow to start. */
const cases = {
  'grouped-tied': {},
  'separate-untied': { num_key_value_heads: 6, tie_word_embeddings: false, seed: 2 },
  'three-groups-odd': {
    hidden_size: 90,
    num_attention_heads: 9,
    num_key_value_heads: 3,
    intermediate_size: 53,
    vocab_size: 37,
    length: 7,
    seed: 3,
  },
  'one-group-head-10': { hidden_size: 60, num_key_value_heads: 1, seed: 4 },
  'explicit-head-size': { head_dim: 32, num_hidden_layers: 2, seed: 5 },
  biases: { attention_bias: true, mlp_bias: true, seed: 6 },
  theta: { rope_parameters: { rope_type: 'default', rope_theta: 100000 }, seed: 7 },
  'linear-scaling': {
    rope_parameters: { rope_type: 'linear', rope_theta: 10000, factor: 4 },
    seed: 8,
  },
  'llama3-scaling': {
    rope_parameters: {
      rope_type: 'llama3',
      rope_theta: 10000,
      factor: 8,
      low_freq_factor: 1,
      high_freq_factor: 4,
      original_max_position_embeddings: 32,
    },
    length: 40,
    seed: 9,
  },
  float16: { store: 'float16', seed: 10 },
  bfloat16: { store: 'bfloat16', seed: 11 },
  'one-layer': { num_hidden_layers: 1, seed: 12 },
  'one-token': { length: 1, seed: 13 },
} as const;

/** The names of the cases. */
export type CaseName = keyof typeof cases;

/** All cases. */
export const caseNames = Object.keys(cases) as CaseName[];

/** The checkpoint of a case. */
export function reference(name: CaseName): Reference {
  const all = Object.entries(cases).map(([each, fields]) => [each, { ...base, ...fields }]);
  const made = join(runPython('llama.py', [JSON.stringify(Object.fromEntries(all))]), name);
  const values = openCheckpoint(join(made, 'reference.safetensors'));
  return {
    folder: join(made, 'model'),
    floats: (tensor) => readFloats(values, tensor),
    ids: (tensor) =>
      Array.from(new BigInt64Array(readTensorBytes(values, tensor).buffer as ArrayBuffer), Number),
  };
}

/** Root of the summed squared difference over that of the reference. */
export function relativeError(actual: Float32Array, expected: Float32Array): number {
  if (actual.length !== expected.length) {
    throw new Error(`${actual.length} numbers, ${expected.length} expected`);
  }
  let difference = 0;
  let norm = 0;
  expected.forEach((value, index) => {
    difference += ((actual[index] as number) - value) ** 2;
    norm += value ** 2;
  });
  return Math.sqrt(difference / norm);
}

/** What making the references may take where the machine is busy; a second run is free. */
export const pythonTimeoutMs = 600_000;
