import type { ModelFolder } from '../../../library/model-folder.ts';
import type { BuildTarget, LlamaConfig } from '../../networks/index.ts';
import {
  decoderModel,
  embeddingModel,
  languageSizes,
  qformerModel,
  scoringModel,
  vitModel,
} from '../../networks/models.ts';
import { openCheckpoint } from '../../weights/index.ts';
import { languageWeights, readLanguageConfig } from '../language/language-weights.ts';
import { readVisionConfigs } from '../vision/vision-configs.ts';
import { promptRunPositions } from '../language/token-model.ts';
import { needsOf, type PartNeeds } from './needs.ts';

/** What reading and writing take of memory, bytes, beside the process itself. Nothing is loaded. */
export function conversationNeeds(model: ModelFolder, target: BuildTarget): readonly PartNeeds[] {
  const weights = languageWeights(model);
  const config = readLanguageConfig(model.languageModel, weights);
  const positions = Math.min(model.manifest.maxSequenceLength, config.maxPositions);
  const language = languageNeeds(config, target, positions, {
    decoder: decoderModel(config, weights, target, { positions }),
    embedding: embeddingModel(config, weights),
    scoring: scoringModel(config, weights, target, { positions }),
  });
  return [language, visionNeeds(model, config.hiddenSize, target)];
}

/** What a language model takes, by its networks; those of its configuration alone where nobody has its weights. */
export function languageNeeds(
  config: LlamaConfig,
  target: BuildTarget,
  positions: number,
  networks: ReturnType<typeof languageSizes> = languageSizes(config, target, { positions }),
): PartNeeds {
  const { layerCount, keyValueHeadCount, headSize } = config;
  const perNumber = target.precision === 'float16' ? 2 : 4;
  const cache = 2 * layerCount * keyValueHeadCount * headSize * positions * perNumber;
  const { decoder, embedding, scoring } = networks;
  const held = needsOf('language model', [{ network: decoder }, { network: embedding }], cache);
  // Scores of a whole stretch are the decoder's values at the longest that it is fed.
  const length = Math.min(promptRunPositions, positions);
  return { ...held, working: scoring.workingBytes({ batch: 1, length }) };
}

function visionNeeds(model: ModelFolder, hiddenSize: number, target: BuildTarget): PartNeeds {
  const { vit, qformer } = readVisionConfigs(model);
  return needsOf('vision', [
    {
      network: vitModel(vit, openCheckpoint(model.visionModel), target),
      sizes: { batch: 1 },
    },
    { network: qformerModel(qformer(hiddenSize), openCheckpoint(...model.qformer), target) },
  ]);
}
