/** What quantising makes of a Llama network: which matrices go together, with how many bits, and how large the result is. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { byteLength, type DataType } from '../tensor/stored-tensor.ts';
import { findTensor, WeightError, type Checkpoint, type SizedTensor } from '../weights/index.ts';

/** Which layers get how many bits. */
export interface LayerBits {
  readonly bits: 4 | 8;
  /** Layers below this one get 4 bits: of a model whose base had no more, and that a training left as they were. */
  readonly lowLayers: number;
  /** Of each layer, in place of both: where what 4 bits cost was measured. */
  readonly layerBits: readonly (4 | 8)[] | undefined;
}

/** Matrices that are quantised together, and the name of the result. */
export interface Group {
  readonly name: string;
  readonly parts: readonly string[];
  readonly bits: 4 | 8;
}

/** A network's groups, the tensors that stay as they are, and how look-up and head are kept. */
export interface QuantisePlan {
  readonly groups: readonly Group[];
  readonly plain: readonly string[];
  readonly embeddingBits: 8 | 16;
  readonly blockSize: number;
}

export interface RawConfig extends Record<string, unknown> {
  readonly num_hidden_layers: number;
  readonly hidden_size: number;
  readonly tie_word_embeddings: boolean;
}

/** @throws WeightError for what is no plain Llama's config.json */
export function readRawConfig(folder: string): RawConfig {
  const file = join(folder, 'config.json');
  if (!existsSync(file)) throw new WeightError(`${file} does not exist`);
  const raw = readJsonFile(file, z.record(z.string(), z.unknown()), 'model-invalid');
  if (raw['model_type'] !== 'llama') {
    throw new WeightError(
      `${file}: model_type is ${JSON.stringify(raw['model_type'])}, only "llama" can be quantised`,
    );
  }
  if (raw['quantization_config']) throw new WeightError(`${file}: the model is quantised already`);
  const { num_hidden_layers: layers, hidden_size: hidden } = raw;
  if (typeof layers !== 'number' || layers > 256 || typeof hidden !== 'number') {
    throw new WeightError(
      `${file}: num_hidden_layers (at most 256) and hidden_size must be numbers`,
    );
  }
  return {
    ...raw,
    num_hidden_layers: layers,
    hidden_size: hidden,
    tie_word_embeddings: raw['tie_word_embeddings'] === true,
  };
}

const fused: readonly (readonly [string, readonly string[]])[] = [
  ['self_attn.qkv_proj', ['self_attn.q_proj', 'self_attn.k_proj', 'self_attn.v_proj']],
  ['self_attn.o_proj', ['self_attn.o_proj']],
  ['mlp.gate_up_proj', ['mlp.gate_proj', 'mlp.up_proj']],
  ['mlp.down_proj', ['mlp.down_proj']],
];

/** The groups of one layer. */
export function layerGroups(layer: number, bits: 4 | 8): Group[] {
  return fused.map(([name, parts]) => ({
    name: `model.layers.${layer}.${name}`,
    parts: parts.map((part) => `model.layers.${layer}.${part}`),
    bits,
  }));
}

function bitsOfLayer(layer: number, { bits, lowLayers, layerBits }: LayerBits): 4 | 8 {
  return layerBits?.[layer] ?? (layer < lowLayers ? 4 : bits);
}

export function planOf(
  checkpoint: Checkpoint,
  config: RawConfig,
  layers: LayerBits,
  blockSize: number,
): QuantisePlan {
  // Look-up and head read the same bytes only when rows are whole blocks.
  const embeddingBits = config.hidden_size % blockSize === 0 ? 8 : 16;
  const outer = config.tie_word_embeddings
    ? ['model.embed_tokens']
    : ['model.embed_tokens', 'lm_head'];
  const outerGroups = outer.map((name) => ({ name, parts: [name], bits: 8 }) as const);
  const inner = Array.from({ length: config.num_hidden_layers }, (_, layer) =>
    layerGroups(layer, bitsOfLayer(layer, layers)),
  );
  const groups = [...(embeddingBits === 8 ? outerGroups : []), ...inner.flat()];
  const plain = [...checkpoint.names()].filter((name) => /norm\.weight$/.test(name));
  if (embeddingBits === 16) plain.push(...outer.map((name) => `${name}.weight`));
  return { embeddingBits, groups, plain, blockSize };
}

/** Sizes of a group's matrix: rows of all parts one behind the other. */
export function groupShape(checkpoint: Checkpoint, group: Group): readonly [number, number] {
  const shapes = group.parts.map((part) => findTensor(checkpoint, `${part}.weight`).shape);
  const k = shapes[0]?.[1] ?? 0;
  if (shapes.some((shape) => shape.length !== 2 || shape[1] !== k)) {
    throw new WeightError(
      `${group.name}: the shapes of ${group.parts.join(', ')} do not fit together`,
    );
  }
  return [shapes.reduce((sum, shape) => sum + (shape[0] ?? 0), 0), k];
}

/** Whether all parts of a group have a bias. */
export function hasBias(checkpoint: Checkpoint, group: Group): boolean {
  return group.parts.every((part) => checkpoint.find(`${part}.bias`) !== undefined);
}

function sized(name: string, dtype: DataType, shape: readonly number[]): SizedTensor {
  const count = shape.reduce((product, dim) => product * dim, 1);
  return { name, dtype, shape, bytes: { length: byteLength(dtype, count) } };
}

/** The tensors that a group becomes: codes, scales, zero points and, where there is one, the bias. */
export function sizedGroup(checkpoint: Checkpoint, group: Group, blockSize: number): SizedTensor[] {
  const [n, k] = groupShape(checkpoint, group);
  const { name, bits } = group;
  const blocks = Math.ceil(k / blockSize);
  return [
    sized(`${name}.weight.q${bits}`, 'uint8', [n, blocks, (blockSize * bits) / 8]),
    sized(`${name}.weight.scales`, 'float16', [n, blocks]),
    sized(`${name}.weight.zeros`, 'uint8', [n, Math.ceil((blocks * bits) / 8)]),
    ...(hasBias(checkpoint, group) ? [sized(`${name}.bias`, 'float32', [n])] : []),
  ];
}

/** A tensor that stays as it is, in single precision. */
export function sizedPlain(checkpoint: Checkpoint, name: string): SizedTensor {
  return sized(name, 'float32', findTensor(checkpoint, name).shape);
}
