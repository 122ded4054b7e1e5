/** What a Llama checkpoint's config.json says, checked. Source: transformers' LlamaConfig. */
import { GraphError } from '../../graph/index.ts';
import type { ConfigReader } from '../config-reader.ts';
import {
  boolean,
  configReader,
  finiteNumber,
  harmlessTransformersFields,
  invalidField,
  isGiven,
  oneOf,
  positiveInteger,
  positiveIntegers,
  refuseUnknownFields,
  requireValues,
} from '../config-reader.ts';

/** How positions are stretched beyond the length a model was trained on. */
export type RopeScaling =
  | { readonly kind: 'none' }
  | { readonly kind: 'linear'; readonly factor: number }
  | {
      readonly kind: 'llama3';
      readonly factor: number;
      readonly lowFrequencyFactor: number;
      readonly highFrequencyFactor: number;
      /** Positions that the model was first trained on. */
      readonly originalMaxPositions: number;
    };

/** How weights are stored in blocks of few bits; undefined for plain floating point. */
export interface Quantisation {
  /** Of each layer. */
  readonly layerBits: readonly (4 | 8)[];
  readonly blockSize: number;
  /** Bits of the embedding and the head; 16 where they are stored as half precision. */
  readonly embeddingBits: 8 | 16;
}

/** Bits of a linear layer's blocks, by its checkpoint name. */
export function linearBits({ layerBits }: Quantisation, name: string): 4 | 8 {
  const layer = Number(/^model\.layers\.(\d+)\./.exec(name)?.[1]);
  const bits = layerBits[layer];
  if (bits === undefined) throw new GraphError(`${name} is in none of ${layerBits.length} layers`);
  return bits;
}

/** A Llama network's sizes and constants. */
export interface LlamaConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  readonly keyValueHeadCount: number;
  readonly headSize: number;
  readonly maxPositions: number;
  readonly normEpsilon: number;
  /** Whether the head is the embedding table. */
  readonly hasTiedHead: boolean;
  readonly hasAttentionBias: boolean;
  readonly hasMlpBias: boolean;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  readonly quantisation: Quantisation | undefined;
}

const readFields = [
  ...['vocab_size', 'hidden_size', 'intermediate_size', 'num_hidden_layers', 'hidden_act'],
  ...['num_attention_heads', 'num_key_value_heads', 'head_dim', 'max_position_embeddings'],
  ...['rms_norm_eps', 'tie_word_embeddings', 'attention_bias', 'mlp_bias', 'rope_theta'],
  ...['rope_scaling', 'rope_parameters', 'quantization_config'],
];

/** Features of Llama's relatives that share its model_type in some files; the first value is the default. */
const fixedValues: Readonly<Record<string, readonly unknown[]>> = {
  partial_rotary_factor: [1],
  rope_interleaved: [false],
};

/** Left in published files by their trainers. Tensor parallelism only cuts a product into parts. */
const harmlessFields = ['pretraining_tp', 'is_llama_config'];

/**
 * Reads a config.json that has been parsed from JSON. Defaults are those of transformers' `LlamaConfig`, but for
 * the sizes of the network, which must be there.
 *
 * @param source what errors call the file.
 * @throws StudioError `model-invalid` or `unsupported`, naming field and value.
 */
export function parseLlamaConfig(
  json: unknown,
  source = 'language model config.json',
): LlamaConfig {
  const reader = configReader(json, source);
  oneOf(reader, 'model_type', ['llama']);
  requireValues(reader, fixedValues);
  refuseUnknownFields(reader, [
    ...readFields,
    ...Object.keys(fixedValues),
    ...harmlessFields,
    ...harmlessTransformersFields,
  ]);
  oneOf(reader, 'hidden_act', ['silu', 'swish'], 'silu');
  return {
    vocabularySize: positiveInteger(reader, 'vocab_size'),
    hiddenSize: positiveInteger(reader, 'hidden_size'),
    intermediateSize: positiveInteger(reader, 'intermediate_size'),
    layerCount: positiveInteger(reader, 'num_hidden_layers'),
    ...readHeads(reader),
    maxPositions: positiveInteger(reader, 'max_position_embeddings', 2048),
    normEpsilon: finiteNumber(reader, 'rms_norm_eps', 1e-6, 0),
    hasTiedHead: boolean(reader, 'tie_word_embeddings', false),
    hasAttentionBias: boolean(reader, 'attention_bias', false),
    hasMlpBias: boolean(reader, 'mlp_bias', false),
    ...readRope(reader),
    quantisation: readQuantisation(reader, positiveInteger(reader, 'num_hidden_layers')),
  };
}

function readHeads(
  reader: ConfigReader,
): Pick<LlamaConfig, 'headCount' | 'keyValueHeadCount' | 'headSize'> {
  const hiddenSize = positiveInteger(reader, 'hidden_size');
  const headCount = positiveInteger(reader, 'num_attention_heads');
  const keyValueHeadCount = positiveInteger(reader, 'num_key_value_heads', headCount);
  if (headCount % keyValueHeadCount !== 0) {
    throw invalidField(reader, 'num_key_value_heads', `a divisor of ${headCount} heads`);
  }
  if (!isGiven(reader, 'head_dim') && hiddenSize % headCount !== 0) {
    throw invalidField(reader, 'num_attention_heads', `a divisor of hidden_size ${hiddenSize}`);
  }
  const headSize = positiveInteger(reader, 'head_dim', hiddenSize / headCount);
  if (headSize > 1024) throw invalidField(reader, 'head_dim', 'at most 1024', headSize);
  if (headSize % 2 !== 0) throw invalidField(reader, 'head_dim', 'even', headSize);
  return { headCount, keyValueHeadCount, headSize };
}

/** Theta and scaling stand apart (`rope_theta`, `rope_scaling`), or since transformers 5 in `rope_parameters`. */
function readRope(reader: ConfigReader): Pick<LlamaConfig, 'ropeTheta' | 'ropeScaling'> {
  const field = isGiven(reader, 'rope_parameters') ? 'rope_parameters' : 'rope_scaling';
  const rope = configReader(reader.fields[field] ?? {}, `${reader.source}: ${field}`);
  const theta = isGiven(rope, 'rope_theta') ? rope : reader;
  return {
    ropeTheta: finiteNumber(theta, 'rope_theta', 10000, Number.MIN_VALUE),
    ropeScaling: readRopeScaling(rope),
  };
}

const ropeFields = ['rope_type', 'type', 'rope_theta', 'partial_rotary_factor'];

function readRopeScaling(rope: ConfigReader): RopeScaling {
  requireValues(rope, { partial_rotary_factor: [1] });
  // Before transformers 4.43 the field was called "type".
  const name = isGiven(rope, 'rope_type') ? 'rope_type' : 'type';
  const kind = oneOf(rope, name, ['default', 'linear', 'llama3'], 'default');
  const positive = (field: string): number =>
    finiteNumber(rope, field, undefined, Number.MIN_VALUE);
  switch (kind) {
    case 'default':
      refuseUnknownFields(rope, ropeFields);
      return { kind: 'none' };
    case 'linear':
      refuseUnknownFields(rope, [...ropeFields, 'factor']);
      return { kind: 'linear', factor: positive('factor') };
    case 'llama3': {
      const bounds = ['low_freq_factor', 'high_freq_factor', 'original_max_position_embeddings'];
      refuseUnknownFields(rope, [...ropeFields, 'factor', ...bounds]);
      return {
        kind: 'llama3',
        factor: positive('factor'),
        lowFrequencyFactor: positive('low_freq_factor'),
        highFrequencyFactor: positive('high_freq_factor'),
        originalMaxPositions: positiveInteger(rope, 'original_max_position_embeddings'),
      };
    }
    default:
      return kind satisfies never;
  }
}

function readQuantisation(reader: ConfigReader, layerCount: number): Quantisation | undefined {
  const json = reader.fields['quantization_config'];
  if (json === undefined || json === null) return undefined;
  const quantisation = configReader(json, `${reader.source}: quantization_config`);
  oneOf(quantisation, 'quant_method', ['textbind-blocks']);
  const known = [
    'quant_method',
    'bits',
    'low_layers',
    'layer_bits',
    'block_size',
    'embedding_bits',
  ];
  refuseUnknownFields(quantisation, known);
  const blockSize = positiveInteger(quantisation, 'block_size');
  if (blockSize < 16) throw invalidField(quantisation, 'block_size', 'at least 16');
  return {
    layerBits: readLayerBits(quantisation, layerCount),
    blockSize,
    embeddingBits: oneOf(quantisation, 'embedding_bits', [8, 16]),
  };
}

/** `layer_bits` says it layer by layer; without it all have `bits`, but for 4 in those below `low_layers`. */
function readLayerBits(quantisation: ConfigReader, layerCount: number): readonly (4 | 8)[] {
  const bits = oneOf(quantisation, 'bits', [4, 8]);
  const low = isGiven(quantisation, 'low_layers') ? positiveInteger(quantisation, 'low_layers') : 0;
  if (!isGiven(quantisation, 'layer_bits')) {
    return Array.from({ length: layerCount }, (_, layer) => (layer < low ? 4 : bits));
  }
  return positiveIntegers(quantisation, 'layer_bits', { length: layerCount }).map((each) => {
    if (each !== 4 && each !== 8) throw invalidField(quantisation, 'layer_bits', '4 or 8', each);
    return each;
  });
}
