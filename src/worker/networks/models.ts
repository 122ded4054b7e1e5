/** Each network as an ONNX model over a checkpoint's weights: what pipelines hand to the runtime, without knowing graphs. */
import type { Graph, Sizes } from '../graph/index.ts';
import { compareWeights, parameterBytes, serialise, workingBytes } from '../graph/index.ts';
import type { Checkpoint } from '../weights/index.ts';
import { eightBitNames } from './eight-bit.ts';
import type {
  BuildTarget,
  ClipTextConfig,
  LlamaConfig,
  LayerRange,
  LlamaOptions,
  QformerConfig,
  UnetConfig,
  VaeConfig,
  VitConfig,
} from './index.ts';
import {
  adaptClipTextWeights,
  adaptVaeWeights,
  adaptVitWeights,
  buildClipText,
  buildDecoder,
  buildEmbedding,
  buildHead,
  buildLayers,
  buildQformer,
  buildReader,
  buildScoring,
  buildUnet,
  buildVaeDecoder,
  buildVaeEncoder,
  buildVit,
  hasStoredEightBits,
  withEightBits,
} from './index.ts';

/** An ONNX model, and the folder that its external data is relative to. */
export interface NetworkModel {
  readonly model: Uint8Array;
  readonly weightsFolder: string;
  /** Weights that are in memory and not in files, by the names that the model has for them. */
  readonly memoryFiles?: ReadonlyMap<string, Uint8Array>;
  /** One of several that run one after another: each gives back what a run works with, or all would keep their most. */
  readonly givesBack?: boolean;
  /** Its weights are read where the system maps their files: no memory of the process is taken for them. */
  readonly keepWeightsMapped?: boolean;
  /** Names of tensors that the weights hold and the network does not use. */
  readonly unused: () => readonly string[];
  /** Bytes of its weights in the types that it computes with. */
  readonly parameterBytes: number;
  /** Bytes of what it computes on the way, for inputs of these sizes; see `workingBytes`. */
  readonly workingBytes: (sizes: Sizes) => number;
}

/** What a network takes of memory, whoever has its weights. */
export type NetworkSizes = Pick<NetworkModel, 'parameterBytes' | 'workingBytes'>;

/** A target for these weights: folded matrices are widened unless the target says otherwise. */
function forWeights(target: BuildTarget, weights: Checkpoint): BuildTarget {
  const isFolded = [...weights.names()].some((name) => name.endsWith(eightBitNames.weights));
  return { ...target, folded: isFolded ? (target.folded ?? 'widened') : undefined };
}

function networkModel(graph: Graph, weights: Checkpoint): NetworkModel {
  return {
    model: serialise(graph, weights),
    weightsFolder: weights.folder,
    unused: () => compareWeights(graph, weights).unused,
    ...sizesOf(graph),
  };
}

/** What a network takes, by its graph alone. */
export function sizesOf(graph: Graph): NetworkSizes {
  return {
    parameterBytes: parameterBytes(graph),
    workingBytes: (sizes) => workingBytes(graph, sizes),
  };
}

/** A language model's networks by its configuration alone. */
export function languageSizes(
  config: LlamaConfig,
  target: BuildTarget,
  options: LlamaOptions,
): Readonly<Record<'decoder' | 'embedding' | 'scoring', NetworkSizes>> {
  return {
    decoder: sizesOf(buildDecoder(config, target, options)),
    embedding: sizesOf(buildEmbedding(config)),
    scoring: sizesOf(buildScoring(config, target, options)),
  };
}

/** Tokens written within one run; see `buildDecoder`. */
export function decoderModel(
  config: LlamaConfig,
  weights: Checkpoint,
  target: BuildTarget,
  options: LlamaOptions,
): NetworkModel {
  return networkModel(buildDecoder(config, target, options), weights);
}

/** input_ids -> inputs_embeds; see `buildEmbedding`. */
export function embeddingModel(config: LlamaConfig, weights: Checkpoint): NetworkModel {
  return networkModel(buildEmbedding(config), weights);
}

/** Some layers of a quantised model, for reading with 8-bit products; see `buildReader`. */
export function readerModel(
  config: LlamaConfig,
  weights: Checkpoint,
  positions: number,
  range: LayerRange,
): NetworkModel {
  const graph = buildReader(config, positions, range);
  if (hasStoredEightBits(weights)) {
    return { ...networkModel(graph, weights), givesBack: true, keepWeightsMapped: true };
  }
  const eightBits = withEightBits(weights, config);
  return { ...networkModel(graph, eightBits), memoryFiles: eightBits.memoryFiles, givesBack: true };
}

/** inputs_embeds -> logits of whole sequences; see `buildScoring`. */
export function scoringModel(
  config: LlamaConfig,
  weights: Checkpoint,
  target: BuildTarget,
  options: LlamaOptions,
): NetworkModel {
  const graph = buildScoring(config, target, options);
  if (options.products !== 'eightBits') return networkModel(graph, weights);
  const eightBits = withEightBits(weights, config);
  return { ...networkModel(graph, eightBits), memoryFiles: eightBits.memoryFiles };
}

/** inputs_embeds -> sum of some layers; see `buildLayers`. */
export function layersModel(
  config: LlamaConfig,
  weights: Checkpoint,
  target: BuildTarget,
  range: LayerRange,
  options: LlamaOptions,
): NetworkModel {
  return networkModel(buildLayers(config, target, options, range), weights);
}

/** sum of all layers -> logits; see `buildHead`. */
export function headModel(
  config: LlamaConfig,
  weights: Checkpoint,
  target: BuildTarget,
  options: LlamaOptions,
): NetworkModel {
  return networkModel(buildHead(config, target, options), weights);
}

/** pixel_values -> last_hidden_state; see `buildVit`. */
export function vitModel(
  config: VitConfig,
  weights: Checkpoint,
  target: BuildTarget,
): NetworkModel {
  return networkModel(buildVit(config, forWeights(target, weights)), adaptVitWeights(weights));
}

/** encoder_hidden_states -> last_hidden_state, image_embeds; see `buildQformer`. */
export function qformerModel(
  config: QformerConfig,
  weights: Checkpoint,
  target: BuildTarget,
): NetworkModel {
  return networkModel(buildQformer(config, forWeights(target, weights)), weights);
}

/** input_ids -> hidden_states, pooled; see `buildClipText`. */
export function clipTextModel(
  config: ClipTextConfig,
  weights: Checkpoint,
  target: BuildTarget,
): NetworkModel {
  return networkModel(
    buildClipText(config, forWeights(target, weights)),
    adaptClipTextWeights(weights),
  );
}

/** sample, timestep, encoder_hidden_states, text_embeds, time_ids -> noise_pred; see `buildUnet`. */
export function unetModel(
  config: UnetConfig,
  weights: Checkpoint,
  target: BuildTarget,
): NetworkModel {
  return networkModel(buildUnet(config, forWeights(target, weights)), weights);
}

/** latents -> image; see `buildVaeDecoder`. */
export function vaeDecoderModel(
  config: VaeConfig,
  weights: Checkpoint,
  target: BuildTarget,
): NetworkModel {
  return networkModel(
    buildVaeDecoder(config, forWeights(target, weights)),
    adaptVaeWeights(weights),
  );
}

/** image -> latents; see `buildVaeEncoder`. */
export function vaeEncoderModel(
  config: VaeConfig,
  weights: Checkpoint,
  target: BuildTarget,
): NetworkModel {
  return networkModel(
    buildVaeEncoder(config, forWeights(target, weights)),
    adaptVaeWeights(weights),
  );
}
