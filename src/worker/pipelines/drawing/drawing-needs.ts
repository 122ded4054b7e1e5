import type { BuildTarget, UnetConfig } from '../../networks/index.ts';
import { needsOf, oneByOneBytes, togetherBytes, type PartNeeds } from '../memory/needs.ts';
import type { DiffusionConfig, TextEncoderConfig } from './diffusion-config.ts';
import { largestTile } from './decode-latents.ts';
import { textEncoderNetwork, unetNetwork, vaeDecoderNetwork } from './drawing-networks.ts';

/** What drawing takes of memory, bytes, beside the process itself. */
export interface DrawingNeeds {
  readonly parts: readonly PartNeeds[];
  /** All networks open at once. */
  readonly kept: number;
  /** Each open only while it is used, but for the VAE, which stays. */
  readonly sparing: number;
}

/** Pixels of a picture. */
interface PictureSize {
  readonly width: number;
  readonly height: number;
}

/** What a drawing of this size takes, by what its networks are built for. Nothing is loaded. */
export function drawingNeeds(
  base: DiffusionConfig,
  refiner: DiffusionConfig | null,
  target: BuildTarget,
  { width, height }: PictureSize,
): DrawingNeeds {
  const latent = { height: height / base.scale, width: width / base.scale };
  const own = refiner === null || refiner.textEncoder2 === base.textEncoder2 ? null : refiner;
  const encoders = [base.textEncoder, base.textEncoder2, own?.textEncoder2].filter(
    (encoder): encoder is TextEncoderConfig => encoder !== null && encoder !== undefined,
  );
  const text = needsOf(
    'text encoders',
    encoders.map((encoder) => ({ network: textEncoderNetwork(encoder, target) })),
  );
  const unets = [base, ...(refiner === null ? [] : [refiner])].map((config, index) =>
    needsOf(index === 0 ? 'UNet' : 'refiner', [
      { network: unetNetwork(config, target), sizes: unetSizes(config.unet, latent) },
    ]),
  );
  const decoded = { batch: 1, ...largestTile(latent) };
  const vae = needsOf('VAE', [{ network: vaeDecoderNetwork(base, target), sizes: decoded }]);
  const parts = [text, ...unets, vae];
  return {
    parts,
    kept: togetherBytes(parts),
    sparing: vae.held + Math.max(vae.working, oneByOneBytes([text, ...unets])),
  };
}

/** Both directions of guidance at once, CLIP's 77 tokens. Widths of the added conditions hardly count. */
function unetSizes(
  config: UnetConfig,
  latent: { readonly height: number; readonly width: number },
) {
  return { batch: 2, ...latent, length: 77, textSize: config.crossAttentionSize, count: 6 };
}
