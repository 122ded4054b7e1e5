import { join } from 'node:path';
import { readJson } from '../../../base/json-file.ts';
import type { ModelFolder } from '../../../library/model-folder.ts';
import {
  parseVitConfig,
  qformerConfigFromSizes,
  type QformerConfig,
  type VitConfig,
} from '../../networks/index.ts';

/** What a model's eyes are made of. */
export interface VisionConfigs {
  readonly vit: VitConfig;
  /** The file that `vit` stands in, for errors. */
  readonly vitFile: string;
  /** @param languageHiddenSize width of the language model's embeddings */
  qformer(languageHiddenSize: number): QformerConfig;
}

/** Reads them. @throws StudioError `model-invalid` or `unsupported`, naming file, field and value */
export function readVisionConfigs({ visionModel, manifest }: ModelFolder): VisionConfigs {
  const vitFile = join(visionModel, 'config.json');
  const vit = parseVitConfig(readJson(vitFile, 'model-invalid'), vitFile);
  return {
    vit,
    vitFile,
    qformer: (projectionSize) =>
      qformerConfigFromSizes(manifest.qformerConfig, {
        encoderHiddenSize: vit.hiddenSize,
        projectionSize,
      }),
  };
}
