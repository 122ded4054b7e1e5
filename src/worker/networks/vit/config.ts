/** Configuration of BLIP-2's vision transformer, from a Hugging Face config.json. */
import type { ConfigReader } from '../config-reader.ts';
import {
  boolean,
  configReader,
  finiteNumber,
  harmlessTransformersFields,
  invalidField,
  oneOf,
  positiveInteger,
  refuseOthers,
  requireWholeHeads,
} from '../config-reader.ts';

/** Sizes of a `Blip2VisionModel`. */
export interface VitConfig {
  readonly hiddenSize: number;
  readonly intermediateSize: number;
  readonly layerCount: number;
  readonly headCount: number;
  /** Height and width of the pictures, in pixels. */
  readonly imageSize: number;
  /** Height and width of a patch, in pixels. */
  readonly patchSize: number;
  readonly activation: 'gelu' | 'quick_gelu';
  readonly layerNormEpsilon: number;
  /** Whether the fused query-key-value projection has a bias. */
  readonly hasQkvBias: boolean;
}

const readFields = [
  ...['hidden_size', 'intermediate_size', 'num_hidden_layers', 'num_attention_heads', 'hidden_act'],
  ...['image_size', 'patch_size', 'layer_norm_eps', 'qkv_bias'],
];

/** Pictures have three colours; published files say so though `Blip2VisionConfig` no longer does. */
const fixedValues = { num_channels: [3] };

/** Of a CLIP-like projection that BLIP-2 does not have, yet its published file names. */
const harmlessFields = ['projection_dim'];

/**
 * Reads a `Blip2VisionConfig`, alone or as `vision_config` of a whole BLIP-2's config.json. Defaults are those of
 * transformers' `Blip2VisionConfig` (ViT-g/14).
 *
 * @param source what errors call the file.
 * @throws StudioError `model-invalid` or `unsupported`, naming field and value.
 */
export function parseVitConfig(json: unknown, source = 'vision config.json'): VitConfig {
  const outer = configReader(json, source);
  const reader =
    outer.fields['vision_config'] === undefined
      ? outer
      : configReader(outer.fields['vision_config'], `${source}: vision_config`);
  const modelType = reader.fields['model_type'];
  if (typeof modelType === 'string') oneOf(reader, 'model_type', ['blip_2_vision_model']);
  refuseOthers(reader, fixedValues, [
    ...readFields,
    ...harmlessFields,
    ...harmlessTransformersFields,
  ]);
  const config: VitConfig = {
    hiddenSize: positiveInteger(reader, 'hidden_size', 1408),
    intermediateSize: positiveInteger(reader, 'intermediate_size', 6144),
    layerCount: positiveInteger(reader, 'num_hidden_layers', 39),
    headCount: positiveInteger(reader, 'num_attention_heads', 16),
    imageSize: squareSize(reader, 'image_size', 224),
    patchSize: squareSize(reader, 'patch_size', 14),
    activation: oneOf(reader, 'hidden_act', ['gelu', 'quick_gelu'], 'gelu'),
    layerNormEpsilon: finiteNumber(reader, 'layer_norm_eps', 1e-6, 0),
    hasQkvBias: boolean(reader, 'qkv_bias', true),
  };
  requireWholeHeads(reader, config);
  if (config.patchSize > config.imageSize) {
    throw invalidField(reader, 'patch_size', `at most image_size ${config.imageSize}`);
  }
  return config;
}

/** A size given as one number or as two equal ones: position embeddings form a square. */
function squareSize(reader: ConfigReader, field: string, fallback: number): number {
  const value = reader.fields[field];
  if (!Array.isArray(value)) return positiveInteger(reader, field, fallback);
  const sides: readonly unknown[] = value;
  const [side, other] = sides;
  if (value.length === 2 && side === other) {
    return positiveInteger({ ...reader, fields: { [field]: side } }, field);
  }
  throw invalidField(reader, field, 'one number or two equal ones');
}

/** Length of the output: one position a whole patch, and the class position in front. */
export function vitSequenceLength(config: VitConfig): number {
  return Math.floor(config.imageSize / config.patchSize) ** 2 + 1;
}
