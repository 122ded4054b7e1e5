/**
 * The networks: for each a reader of its Hugging Face configuration, builders of its graphs, and, where checkpoints
 * come in several spellings, an adapter of their names.
 */
export { eightBitNames } from './eight-bit.ts';
export type { ClipTextConfig } from './clip-text/config.ts';
export { buildClipText } from './clip-text/build.ts';
export { parseClipTextConfig } from './clip-text/config.ts';
export { adaptClipTextWeights } from './clip-text/weights.ts';
export { buildEmbedding, buildHead, buildLayers, buildScoring } from './llama/build.ts';
export type { LlamaConfig } from './llama/config.ts';
export { parseLlamaConfig } from './llama/config.ts';
export { buildDecoder, cacheNames } from './llama/decoder.ts';
export type { LlamaOptions } from './llama/form.ts';
export {
  buildReader,
  eightBitLayerBytes,
  eightBitShape,
  foldedMatrix,
  hasStoredEightBits,
  readerParts,
  storedEightBitNames,
  storedEightBits,
  withEightBits,
} from './llama/reader.ts';
export type { LayerRange } from './llama/stack.ts';
export { blocksProbeModel, eightBitProbeModel, probeSizes } from './llama/eight-bit-probe.ts';
export type { QformerConfig, QformerSizes } from './qformer/config.ts';
export { buildQformer } from './qformer/build.ts';
export { parseQformerConfig, qformerConfigFromSizes } from './qformer/config.ts';
export type { BuildTarget } from './target.ts';
export { cpuTarget, targetFor } from './target.ts';
export type { UnetConfig } from './unet/config.ts';
export type { UnetDims } from './unet/build.ts';
export { buildUnet } from './unet/build.ts';
export { parseUnetConfig } from './unet/config.ts';
export type { VaeConfig } from './vae/config.ts';
export type { VaeDims } from './vae/build.ts';
export { buildVaeDecoder, buildVaeEncoder } from './vae/build.ts';
export { parseVaeConfig, vaeScale } from './vae/config.ts';
export { adaptVaeWeights } from './vae/weights.ts';
export type { VitConfig } from './vit/config.ts';
export { buildVit } from './vit/build.ts';
export { parseVitConfig, vitSequenceLength } from './vit/config.ts';
export { adaptVitWeights } from './vit/weights.ts';
export type { TensorFault } from '../graph/index.ts';
export { WeightsError } from '../graph/index.ts';
