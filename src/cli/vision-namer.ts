import { existsSync } from 'node:fs';
import path from 'node:path';
import type { TextBindModel } from '../worker/pipelines/textbind-model.ts';
import { readVisionConfigs } from '../worker/pipelines/vision/vision-configs.ts';
import { openCheckpoint, readFloats } from '../worker/weights/index.ts';
import { known } from '../shared/errors.ts';

/** Says which of some phrases a picture shows best, by the model's own eyes. */
export interface Namer {
  /** Index of the phrase. */
  best(picture: Uint8Array): Promise<number>;
  release(): Promise<void>;
}

/**
 * The vision encoder with the projection it was trained with (`clip-head.safetensors`) against the second text
 * encoder: zero-shot classification as CLIP does it, a phrase's vector being the mean over all backgrounds. Null for
 * a model without that projection.
 */
export async function openNamer(
  model: TextBindModel,
  names: { readonly phrases: readonly string[]; readonly backgrounds: readonly string[] },
): Promise<Namer | null> {
  const headFile = path.join(model.folder.visionModel, 'clip-head.safetensors');
  if (!existsSync(headFile) || model.painter === null) return null;
  const { vit } = readVisionConfigs(model.folder);
  const weights = openCheckpoint(model.folder.visionModel);
  const norm = {
    weight: readFloats(weights, 'post_layernorm.weight'),
    bias: readFloats(weights, 'post_layernorm.bias'),
    epsilon: vit.layerNormEpsilon,
  };
  const projection = readFloats(openCheckpoint(headFile), 'image_projection');
  const vectors: Float32Array[] = [];
  for (const phrase of names.phrases) {
    const texts = names.backgrounds.map(
      (colour) => `${phrase} on ${withArticle(`${colour} background`)}`,
    );
    const each: Float32Array[] = [];
    for (const text of texts) each.push(unit(await model.painter.pooledText(text)));
    vectors.push(unit(mean(each)));
  }
  return {
    async best(picture) {
      const hidden = await model.vision.lastHiddenState(picture);
      const width = known(hidden.dims[2], 'the width');
      // Blip2VisionModel's pooled output: the class position, normalised once more.
      const pooled = layerNorm(hidden.data.subarray(0, width), norm);
      const seen = unit(project(projection, pooled));
      const scores = vectors.map((vector) => dot(vector, seen));
      return scores.indexOf(Math.max(...scores));
    },
    release: async () => {},
  };
}

/** "a" or "an", by the first letter: enough for names of colours. */
function withArticle(words: string): string {
  return /^[aeiou]/i.test(words) ? `an ${words}` : `a ${words}`;
}

function layerNorm(
  values: Float32Array,
  norm: { readonly weight: Float32Array; readonly bias: Float32Array; readonly epsilon: number },
): Float32Array {
  const average = values.reduce((sum, value) => sum + value, 0) / values.length;
  const variance = values.reduce((sum, value) => sum + (value - average) ** 2, 0) / values.length;
  const divisor = Math.sqrt(variance + norm.epsilon);
  return values.map(
    (value, at) => ((value - average) / divisor) * norm.weight[at]! + norm.bias[at]!,
  );
}

/** [rows, width] times [width]. */
function project(matrix: Float32Array, vector: Float32Array): Float32Array {
  const width = vector.length;
  return Float32Array.from({ length: matrix.length / width }, (_, row) =>
    dot(matrix.subarray(row * width, (row + 1) * width), vector),
  );
}

function dot(left: Float32Array, right: Float32Array): number {
  return left.reduce((sum, value, at) => sum + value * right[at]!, 0);
}

function unit(vector: Float32Array): Float32Array {
  const length = Math.sqrt(dot(vector, vector));
  return vector.map((value) => value / length);
}

function mean(vectors: readonly Float32Array[]): Float32Array {
  return vectors[0]!.map(
    (_, at) => vectors.reduce((sum, vector) => sum + vector[at]!, 0) / vectors.length,
  );
}
