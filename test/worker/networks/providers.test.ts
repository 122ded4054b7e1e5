/**
 * Every network on WebGPU and in fp16, in tiny sizes, against the same references as on the CPU. On a machine without
 * a GPU the software driver that Electron carries does (`VK_ICD_FILENAMES`, set by `npm test`).
 */
import { describe, expect, it } from 'vitest';
import type { Graph } from '../../../src/worker/graph/index.ts';
import { add, cast, finishGraph, input, serialise } from '../../../src/worker/graph/index.ts';
import type { BuildTarget } from '../../../src/worker/networks/index.ts';
import {
  adaptClipTextWeights,
  buildClipText,
  buildQformer,
  buildUnet,
  buildVaeDecoder,
  buildVaeEncoder,
  buildVit,
  parseClipTextConfig,
  parseQformerConfig,
  parseUnetConfig,
  parseVaeConfig,
  parseVitConfig,
} from '../../../src/worker/networks/index.ts';
import { Session, float32Tensor, probeProvider } from '../../../src/worker/runtime/index.ts';
import type { Checkpoint } from '../../../src/worker/weights/index.ts';
import { noPython } from '../../golden/run-python.ts';
import type { Golden } from './golden-network.ts';
import { makeGoldens, worstError } from './golden-network.ts';

const report = await probeProvider('webgpu');
const reason =
  noPython ?? (report.usable ? undefined : `WebGPU does not work here: ${report.reason}`);

const sizes = {
  hidden_size: 24,
  intermediate_size: 40,
  num_hidden_layers: 2,
  num_attention_heads: 3,
};
const scripts = {
  'vit.py': {
    tiny: { config: { ...sizes, image_size: 15, patch_size: 4 }, cases: [{ batch: 2 }] },
  },
  'qformer.py': {
    tiny: {
      config: { ...sizes, encoder_hidden_size: 16 },
      num_query_tokens: 5,
      projection_size: 18,
      cases: [{ batch: 2, length: 7 }],
    },
  },
  'clip_text.py': {
    tiny: {
      config: { ...sizes, vocab_size: 50, projection_dim: 17, bos_token_id: 47, eos_token_id: 48 },
      projection: true,
      cases: [
        {
          input_ids: [
            [47, 1, 2, 48, 48],
            [47, 5, 48, 0, 0],
          ],
        },
      ],
    },
  },
  'unet.py': {
    tiny: {
      config: {
        block_out_channels: [16, 24],
        down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D'],
        up_block_types: ['CrossAttnUpBlock2D', 'UpBlock2D'],
        layers_per_block: 1,
        norm_num_groups: 8,
        attention_head_dim: [2, 3],
        cross_attention_dim: 20,
        use_linear_projection: true,
        addition_embed_type: 'text_time',
        addition_time_embed_dim: 8,
        projection_class_embeddings_input_dim: 60,
      },
      // Odd, so that the way up takes its sizes from the way down. One case: each costs the driver new shaders.
      cases: [{ batch: 2, height: 5, width: 7, length: 5, timestep: 431.5 }],
    },
  },
  'vae.py': {
    tiny: {
      config: {
        block_out_channels: [8, 12],
        down_block_types: ['DownEncoderBlock2D', 'DownEncoderBlock2D'],
        up_block_types: ['UpDecoderBlock2D', 'UpDecoderBlock2D'],
        norm_num_groups: 4,
      },
      cases: [
        { batch: 1, image: [9, 12] },
        { batch: 2, latents: [5, 3] },
      ],
    },
  },
} as const;

interface Part {
  readonly script: keyof typeof scripts;
  readonly build: (config: unknown, target: BuildTarget) => Graph;
  readonly adapt?: (weights: Checkpoint) => Checkpoint;
  readonly outputs: readonly string[];
  /** Which of the cases are this network's. */
  readonly cases?: readonly [number, number];
}

const parts: Readonly<Record<string, Part>> = {
  vit: {
    script: 'vit.py',
    build: (config, target) => buildVit(parseVitConfig(config), target),
    outputs: ['last_hidden_state'],
  },
  qformer: {
    script: 'qformer.py',
    build: (config, target) => buildQformer(parseQformerConfig(config), target),
    outputs: ['last_hidden_state', 'image_embeds'],
  },
  'clip-text': {
    script: 'clip_text.py',
    build: (config, target) => buildClipText(parseClipTextConfig(config), target),
    adapt: adaptClipTextWeights,
    outputs: ['hidden_states', 'pooled'],
  },
  unet: {
    script: 'unet.py',
    build: (config, target) => buildUnet(parseUnetConfig(config), target),
    outputs: ['noise_pred'],
  },
  'vae-encoder': {
    script: 'vae.py',
    build: (config, target) => buildVaeEncoder(parseVaeConfig(config), target),
    outputs: ['latents'],
    cases: [0, 1],
  },
  'vae-decoder': {
    script: 'vae.py',
    build: (config, target) => buildVaeDecoder(parseVaeConfig(config), target),
    outputs: ['image'],
    cases: [1, 2],
  },
};

function errorOf(part: Part, golden: Golden, target: BuildTarget): Promise<number> {
  const graph = part.build(golden.config, target);
  const weights = part.adapt ? part.adapt(golden.weights) : golden.weights;
  const cases = golden.cases.slice(...(part.cases ?? []));
  return worstError(graph, weights, cases, part.outputs, target.provider);
}

/** Why fp16 cannot be tested here: a device may lack it, and the software driver does. */
async function noHalf(): Promise<string | undefined> {
  const x = input('x', 'float32', [1]);
  const half = cast(x, 'float16');
  const graph = finishGraph('half', [x], { y: cast(add(half, half), 'float32') });
  try {
    const session = await Session.open(serialise(graph), { provider: 'webgpu' });
    await session.run({ x: float32Tensor(Float32Array.of(1), [1]) });
    await session.release();
    return undefined;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

const halfReason = reason ?? (await noHalf());
// The software driver compiles a shader for every kind of node, which takes long on a busy machine.
const timeout = 400_000;
// Made while the tests are collected: Python takes longer on a busy machine than a test may.
const goldens = new Map(
  noPython
    ? []
    : (Object.keys(scripts) as (keyof typeof scripts)[]).map((script) => [
        script,
        makeGoldens(script, scripts[script]).tiny,
      ]),
);
const golden = (part: Part): Golden => goldens.get(part.script)!;

describe.skipIf(reason)(`on WebGPU ${reason ?? ''}`, () => {
  it.each(Object.keys(parts))(
    '%s in fp32',
    async (name) => {
      const target = { provider: 'webgpu', precision: 'float32' } as const;
      expect(await errorOf(parts[name]!, golden(parts[name]!), target)).toBeLessThan(1e-4);
    },
    timeout,
  );
});

describe.skipIf(halfReason)(`on WebGPU in fp16 ${halfReason ?? ''}`, () => {
  it.each(Object.keys(parts))(
    '%s',
    async (name) => {
      const target = { provider: 'webgpu', precision: 'float16' } as const;
      expect(await errorOf(parts[name]!, golden(parts[name]!), target)).toBeLessThan(1e-2);
    },
    timeout,
  );
});

// The CPU has no fp16 kernels: the runtime puts casts around each node. What it shows is that every value of the graph
// has its type, and what rounding between nodes costs.
describe.skipIf(noPython)(`the fp16 graph on the CPU ${noPython ?? ''}`, () => {
  it.each(Object.keys(parts))('%s', async (name) => {
    const target = { provider: 'cpu', precision: 'float16' } as const;
    expect(await errorOf(parts[name]!, golden(parts[name]!), target)).toBeLessThan(1e-2);
  });
});
