/** The Llama decoder: its configuration, its graphs, and these as models for the runtime. */
import type { WeightSource } from '../../graph/index.ts';
import { serialise } from '../../graph/index.ts';
import type { LlamaBuildOptions } from './build.ts';
import { buildEmbedding, buildScoring } from './build.ts';
import type { LlamaConfig } from './config.ts';
import { buildDecoder } from './decoder.ts';

export type { LlamaBuildOptions } from './build.ts';
export { buildEmbedding, buildScoring } from './build.ts';
export { buildDecoder, cacheNames } from './decoder.ts';
export type { LlamaConfig } from './config.ts';
export { parseLlamaConfig } from './config.ts';
export type { Precision } from './weights.ts';

/** `buildDecoder` as an ONNX model over a checkpoint's weights. */
export function decoderModel(
  config: LlamaConfig,
  weights: WeightSource,
  options: LlamaBuildOptions,
): Uint8Array {
  return serialise(buildDecoder(config, options), weights);
}

/** `buildEmbedding` as an ONNX model. */
export function embeddingModel(config: LlamaConfig, weights: WeightSource): Uint8Array {
  return serialise(buildEmbedding(config), weights);
}

/** `buildScoring` from embeddings as an ONNX model. */
export function scoringModel(
  config: LlamaConfig,
  weights: WeightSource,
  options: LlamaBuildOptions,
): Uint8Array {
  return serialise(buildScoring(config, options, 'inputs_embeds'), weights);
}
