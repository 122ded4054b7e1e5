/** The networks of a diffusers pipeline, over their weights. */
import { join } from 'node:path';
import type { BuildTarget } from '../../networks/index.ts';
import {
  clipTextModel,
  unetModel,
  vaeDecoderModel,
  vaeEncoderModel,
  type NetworkModel,
} from '../../networks/models.ts';
import { openCheckpoint } from '../../weights/index.ts';
import type { DiffusionConfig, TextEncoderConfig } from './diffusion-config.ts';

export function textEncoderNetwork(encoder: TextEncoderConfig, target: BuildTarget): NetworkModel {
  return clipTextModel(encoder.config, openCheckpoint(encoder.folder), target);
}

export function unetNetwork(config: DiffusionConfig, target: BuildTarget): NetworkModel {
  return unetModel(config.unet, openCheckpoint(join(config.folder, 'unet')), target);
}

/** In single precision, as the decoder. */
export function vaeEncoderNetwork(config: DiffusionConfig, target: BuildTarget): NetworkModel {
  const weights = openCheckpoint(join(config.folder, 'vae'));
  return vaeEncoderModel(config.vae, weights, { ...target, precision: 'float32' });
}

/** In single precision everywhere: SDXL's VAE overflows in half (its config says force_upcast). */
export function vaeDecoderNetwork(config: DiffusionConfig, target: BuildTarget): NetworkModel {
  const weights = openCheckpoint(join(config.folder, 'vae'));
  return vaeDecoderModel(config.vae, weights, { ...target, precision: 'float32' });
}
