// What the published networks take of memory, by the plan's own sums over graphs of their published sizes.
import { clipG, clipL, qformer, unet, unetOf, vae, vit } from '../../bench/full-size/parts.ts';
import {
  buildClipText,
  buildQformer,
  buildUnet,
  buildVaeDecoder,
  buildVit,
  cpuTarget,
  parseLlamaConfig,
  type UnetConfig,
} from '../../src/worker/networks/index.ts';
import { sizesOf } from '../../src/worker/networks/models.ts';
import { languageNeeds } from '../../src/worker/pipelines/memory/conversation-needs.ts';
import { largestTile } from '../../src/worker/pipelines/drawing/decode-latents.ts';
import { needsOf, oneByOneBytes, togetherBytes } from '../../src/worker/pipelines/memory/needs.ts';
import { quantisedConfig } from '../../src/worker/would-fit.ts';

/** Llama 2 7B (its published config.json), with TextBind's three tokens. */
const llama = parseLlamaConfig({
  ...{ model_type: 'llama', hidden_act: 'silu', hidden_size: 4096, intermediate_size: 11_008 },
  ...{ num_hidden_layers: 32, num_attention_heads: 32, num_key_value_heads: 32 },
  ...{ max_position_embeddings: 4096, rms_norm_eps: 1e-5, vocab_size: 32_003 },
  tie_word_embeddings: false,
});
const positions = 768;

const refiner = unetOf({
  block_out_channels: [384, 768, 1536, 1536],
  down_block_types: ['DownBlock2D', 'CrossAttnDownBlock2D', 'CrossAttnDownBlock2D', 'DownBlock2D'],
  up_block_types: ['UpBlock2D', 'CrossAttnUpBlock2D', 'CrossAttnUpBlock2D', 'UpBlock2D'],
  ...{ transformer_layers_per_block: 4, attention_head_dim: [6, 12, 24, 24] },
  ...{ cross_attention_dim: 1280, projection_class_embeddings_input_dim: 2560 },
});

const vision = needsOf('vision', [
  { network: sizesOf(buildVit(vit, cpuTarget)), sizes: { batch: 1 } },
  { network: sizesOf(buildQformer(qformer, cpuTarget)) },
]);

/** Bytes for words, with the language model as published and in so many bits. */
export function talking(bits: 4 | 8 | null): number {
  const config = bits === null ? llama : quantisedConfig(llama, bits);
  return togetherBytes([languageNeeds(config, cpuTarget, positions), vision]);
}

/** Bytes for pictures of so many pixels a side, each network open only while it is used. */
export function drawing(side: number, withRefiner: boolean): number {
  const latent = { height: side / 8, width: side / 8 };
  const text = needsOf('text encoders', [
    { network: sizesOf(buildClipText(clipL, cpuTarget)) },
    { network: sizesOf(buildClipText(clipG, cpuTarget)) },
  ]);
  const unets = [unet, ...(withRefiner ? [refiner] : [])].map((config: UnetConfig) =>
    needsOf('UNet', [
      {
        network: sizesOf(buildUnet(config, cpuTarget)),
        sizes: { batch: 2, ...latent, length: 77, textSize: config.crossAttentionSize, count: 6 },
      },
    ]),
  );
  const tile = largestTile(latent);
  const decoder = needsOf('VAE', [
    { network: sizesOf(buildVaeDecoder(vae, cpuTarget)), sizes: { batch: 1, ...tile } },
  ]);
  return decoder.held + Math.max(decoder.working, oneByOneBytes([text, ...unets]));
}
