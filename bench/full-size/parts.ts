// The networks of the published system, by their published sizes, and inputs for one run of each.
import {
  buildClipText,
  buildQformer,
  buildUnet,
  buildVaeDecoder,
  buildVit,
  cpuTarget,
  parseClipTextConfig,
  parseUnetConfig,
  parseVaeConfig,
  parseVitConfig,
  qformerConfigFromSizes,
} from '../../src/worker/networks/index.ts';
import type { BuildTarget } from '../../src/worker/networks/index.ts';
import type { Graph } from '../../src/worker/graph/index.ts';
import {
  clipTextModel,
  qformerModel,
  unetModel,
  vaeDecoderModel,
  vitModel,
  type NetworkModel,
} from '../../src/worker/networks/models.ts';
import { float32Tensor, int64Tensor, type HostTensor } from '../../src/worker/runtime/index.ts';
import type { Checkpoint } from '../../src/worker/weights/index.ts';

/** One network at its published size. */
export interface Part {
  /** What its graph asks of a checkpoint: names and shapes. */
  readonly graph: () => Graph;
  readonly model: (weights: Checkpoint) => NetworkModel;
  /** Inputs for a picture of `side` pixels. */
  readonly inputs: (side: number) => Readonly<Record<string, HostTensor>>;
}

const clip = (changes: object) =>
  parseClipTextConfig({ model_type: 'clip_text_model', vocab_size: 49408, ...changes });
export const clipL = clip({
  ...{ hidden_size: 768, intermediate_size: 3072, num_hidden_layers: 12 },
  ...{ num_attention_heads: 12, hidden_act: 'quick_gelu', eos_token_id: 2 },
});
export const clipG = clip({
  architectures: ['CLIPTextModelWithProjection'],
  ...{ hidden_size: 1280, intermediate_size: 5120, num_hidden_layers: 32 },
  ...{ num_attention_heads: 20, hidden_act: 'gelu', projection_dim: 1280, eos_token_id: 2 },
});
/** EVA-CLIP ViT-g/14, as BLIP-2 has it: transformers' defaults. */
export const vit = parseVitConfig({ model_type: 'blip_2_vision_model' });
export const qformer = qformerConfigFromSizes(
  {
    ...{ numQueryTokens: 32, numHiddenLayers: 12, numAttentionHeads: 12 },
    ...{ hiddenSize: 768, intermediateSize: 3072 },
  },
  { encoderHiddenSize: 1408, projectionSize: 4096 },
);
export const vae = parseVaeConfig({
  ...{ _class_name: 'AutoencoderKL', in_channels: 3, out_channels: 3, latent_channels: 4 },
  block_out_channels: [128, 256, 512, 512],
  down_block_types: Array<string>(4).fill('DownEncoderBlock2D'),
  up_block_types: Array<string>(4).fill('UpDecoderBlock2D'),
  ...{ layers_per_block: 2, norm_num_groups: 32, act_fn: 'silu', scaling_factor: 0.13025 },
  force_upcast: true,
});
export const unetOf = (changes: object) =>
  parseUnetConfig({
    ...{ _class_name: 'UNet2DConditionModel', in_channels: 4, out_channels: 4, sample_size: 128 },
    ...{ layers_per_block: 2, use_linear_projection: true, act_fn: 'silu', norm_num_groups: 32 },
    ...{ addition_embed_type: 'text_time', addition_time_embed_dim: 256 },
    ...changes,
  });
/** SDXL's, by how many transformer blocks each level has. */
const sdxlUnet = (depths: readonly number[]) =>
  unetOf({
    block_out_channels: [320, 640, 1280],
    down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D'],
    up_block_types: ['CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
    ...{ transformer_layers_per_block: depths, attention_head_dim: [5, 10, 20] },
    ...{ cross_attention_dim: 2048, projection_class_embeddings_input_dim: 2816 },
  });

/** Numbers that look random, of unit size or so. */
function noise(...dims: number[]): HostTensor {
  const count = dims.reduce((product, dim) => product * dim, 1);
  return float32Tensor(
    Float32Array.from({ length: count }, (_, at) => Math.sin(at * 12.9898) * 1.4),
    dims,
  );
}

const tokens = (): HostTensor =>
  int64Tensor(
    Array.from({ length: 77 }, (_, at) => (at < 20 ? 300 + at : 49407)),
    [1, 77],
  );

export const unet = sdxlUnet([1, 2, 10]);

/** Matrices in 8 bits, as `textbind import --quantize-networks` stores them. */
const folded = { ...cpuTarget, folded: 'eightBits' } as const;

function vitPart(target: BuildTarget): Part {
  return {
    graph: () => buildVit(vit, target),
    model: (weights) => vitModel(vit, weights, target),
    inputs: () => ({ pixel_values: noise(1, 3, 224, 224) }),
  };
}

function unetPart(config: ReturnType<typeof sdxlUnet>, target: BuildTarget): Part {
  return {
    graph: () => buildUnet(config, target),
    model: (weights) => unetModel(config, weights, target),
    inputs: (side) => ({
      sample: noise(2, 4, side / 8, side / 8),
      timestep: float32Tensor(Float32Array.of(500), [1]),
      encoder_hidden_states: noise(2, 77, 2048),
      text_embeds: noise(2, 1280),
      time_ids: noise(2, 6),
    }),
  };
}

/** By the names of `--parts`. */
export const parts: Readonly<Record<string, Part>> = {
  'clip-l': {
    graph: () => buildClipText(clipL, cpuTarget),
    model: (weights) => clipTextModel(clipL, weights, cpuTarget),
    inputs: () => ({ input_ids: tokens() }),
  },
  'clip-g': {
    graph: () => buildClipText(clipG, cpuTarget),
    model: (weights) => clipTextModel(clipG, weights, cpuTarget),
    inputs: () => ({ input_ids: tokens() }),
  },
  qformer: {
    graph: () => buildQformer(qformer, cpuTarget),
    model: (weights) => qformerModel(qformer, weights, cpuTarget),
    inputs: () => ({ encoder_hidden_states: noise(1, 257, 1408) }),
  },
  'vit-g': vitPart(cpuTarget),
  'vit-g-8': vitPart(folded),
  'vae-decoder': {
    graph: () => buildVaeDecoder(vae, cpuTarget),
    model: (weights) => vaeDecoderModel(vae, weights, cpuTarget),
    inputs: (side) => ({ latents: noise(1, 4, side / 8, side / 8) }),
  },
  unet: unetPart(unet, cpuTarget),
  'unet-8': unetPart(unet, folded),
  // Of the ten transformer blocks of the level that has most of the weights, two: a third of the memory, every size true.
  'unet-shallow': unetPart(sdxlUnet([1, 2, 2]), cpuTarget),
  'unet-shallow-8': unetPart(sdxlUnet([1, 2, 2]), folded),
};

/** @throws Error naming those that there are */
export function partOf(name: string): Part {
  const part = Object.hasOwn(parts, name) ? parts[name] : undefined;
  if (part === undefined) {
    throw new Error(`--parts ${name}: expected ${Object.keys(parts).join(', ')}`);
  }
  return part;
}
