/** What a Llama checkpoint's config.json says, checked. Source: transformers' LlamaConfig. */
import { z } from 'zod';
import { GraphError } from '../../graph/graph-error.ts';

const count = z.number().int().positive();

const llama3Scaling = z.object({
  rope_type: z.literal('llama3'),
  factor: z.number().positive(),
  low_freq_factor: z.number().positive(),
  high_freq_factor: z.number().positive(),
  original_max_position_embeddings: count,
});
const linearScaling = z.object({ rope_type: z.literal('linear'), factor: z.number().positive() });
const noScaling = z.object({ rope_type: z.literal('default') });

const quantisation = z.object({
  quant_method: z.literal('textbind-blocks'),
  bits: z.union([z.literal(4), z.literal(8)]),
  block_size: z.number().int().min(16),
  /** Bits of the embedding and the head; 16 where they are stored as half precision. */
  embedding_bits: z.union([z.literal(8), z.literal(16)]),
});

const schema = z.object({
  model_type: z.literal('llama'),
  vocab_size: count,
  hidden_size: count,
  intermediate_size: count,
  num_hidden_layers: count,
  num_attention_heads: count,
  num_key_value_heads: count.nullish(),
  head_dim: count.nullish(),
  hidden_act: z.literal('silu').default('silu'),
  max_position_embeddings: count.default(2048),
  rms_norm_eps: z.number().positive().default(1e-6),
  tie_word_embeddings: z.boolean().default(false),
  attention_bias: z.boolean().default(false),
  mlp_bias: z.boolean().default(false),
  rope_theta: z.number().positive().nullish(),
  rope_scaling: z.record(z.string(), z.unknown()).nullish(),
  // transformers 5 keeps theta and scaling together under this name.
  rope_parameters: z.record(z.string(), z.unknown()).nullish(),
  quantization_config: z.unknown().optional(),
});

/** How positions are stretched beyond the length a model was trained on. */
export type RopeScaling =
  z.infer<typeof llama3Scaling> | z.infer<typeof linearScaling> | z.infer<typeof noScaling>;

/** How weights are stored in blocks of few bits; undefined for plain floating point. */
export interface Quantisation {
  readonly bits: 4 | 8;
  readonly blockSize: number;
  readonly embeddingBits: 8 | 16;
}

/** A Llama network's sizes and constants. */
export interface LlamaConfig {
  readonly vocabularySize: number;
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layers: number;
  readonly heads: number;
  readonly keyValueHeads: number;
  readonly headDim: number;
  readonly maxPositions: number;
  readonly normEpsilon: number;
  readonly tiedHead: boolean;
  readonly attentionBias: boolean;
  readonly mlpBias: boolean;
  readonly ropeTheta: number;
  readonly ropeScaling: RopeScaling;
  readonly quantisation: Quantisation | undefined;
}

function problem(where: string, error: z.ZodError): GraphError {
  const [issue] = error.issues;
  const field = issue?.path.join('.') ?? '';
  return new GraphError(`${where}: ${field ? `"${field}": ` : ''}${issue?.message ?? 'not valid'}`);
}

function parseScaling(where: string, raw: Readonly<Record<string, unknown>>): RopeScaling {
  const type = raw['rope_type'] ?? raw['type'] ?? 'default';
  const parsed = z
    .discriminatedUnion('rope_type', [llama3Scaling, linearScaling, noScaling])
    .safeParse({ ...raw, rope_type: type });
  if (!parsed.success) {
    throw new GraphError(`${where}: rope scaling ${JSON.stringify(raw)} is not supported`);
  }
  return parsed.data;
}

function parseQuantisation(where: string, raw: unknown): Quantisation | undefined {
  if (raw === undefined || raw === null) return undefined;
  const parsed = quantisation.safeParse(raw);
  if (!parsed.success) {
    throw new GraphError(`${where}: quantization_config ${JSON.stringify(raw)} is not supported`);
  }
  const { bits, block_size: blockSize, embedding_bits: embeddingBits } = parsed.data;
  return { bits, blockSize, embeddingBits };
}

/**
 * Reads a config.json that has been parsed from JSON.
 *
 * @param where the file's name, for messages.
 * @throws GraphError naming the field and its value if the network is of a kind we cannot build.
 */
export function parseLlamaConfig(json: unknown, where = 'config.json'): LlamaConfig {
  const parsed = schema.safeParse(json);
  if (!parsed.success) throw problem(where, parsed.error);
  const raw = parsed.data;
  const heads = raw.num_attention_heads;
  const keyValueHeads = raw.num_key_value_heads ?? heads;
  const headDim = raw.head_dim ?? raw.hidden_size / heads;
  if (!Number.isInteger(headDim) || headDim % 2 !== 0) {
    throw new GraphError(
      `${where}: hidden_size ${raw.hidden_size} over ${heads} heads gives no even head size`,
    );
  }
  if (heads % keyValueHeads !== 0) {
    throw new GraphError(`${where}: ${keyValueHeads} key-value heads do not divide ${heads} heads`);
  }
  const rope = { ...raw.rope_scaling, ...raw.rope_parameters };
  const theta = raw.rope_theta ?? rope['rope_theta'] ?? 10000;
  if (typeof theta !== 'number') throw new GraphError(`${where}: rope_theta is not a number`);
  return {
    vocabularySize: raw.vocab_size,
    hiddenSize: raw.hidden_size,
    intermediateSize: raw.intermediate_size,
    layers: raw.num_hidden_layers,
    heads,
    keyValueHeads,
    headDim,
    maxPositions: raw.max_position_embeddings,
    normEpsilon: raw.rms_norm_eps,
    tiedHead: raw.tie_word_embeddings,
    attentionBias: raw.attention_bias,
    mlpBias: raw.mlp_bias,
    ropeTheta: theta,
    ropeScaling: parseScaling(where, rope),
    quantisation: parseQuantisation(where, raw.quantization_config),
  };
}
