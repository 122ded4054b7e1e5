/** What of a model that does not fit into memory would: by the plan's own figures, the least that is given up first. */
import type { ModelFolder } from '../library/model-folder.ts';
import type { InsteadOfModel } from '../shared/domain/doctor.ts';
import { cpuTarget, type LlamaConfig } from './networks/index.ts';
import { languageWeights, readLanguageConfig } from './pipelines/language/language-weights.ts';
import { languageNeeds } from './pipelines/memory/conversation-needs.ts';
import { togetherBytes } from './pipelines/memory/needs.ts';
import { decoderNeeds, type ModelNeeds } from './pipelines/memory/plan.ts';

/** As quantise-model.ts writes them. */
const blockSize = 32;
/** From the most that stays to the least. */
const bitsInOrder = [null, 8, 4] as const;
const leftOutInOrder = [null, 'refiner', 'drawing'] as const;

/** @param room bytes of memory that it is to fit into; null where nothing of it would */
export async function whatWouldFit(
  model: ModelFolder,
  needs: ModelNeeds,
  room: number,
): Promise<InsteadOfModel | null> {
  for (const leaveOut of leftOutInOrder) {
    const drawingBytes = await drawingWithout(model, needs, leaveOut);
    if (drawingBytes === undefined) continue;
    for (const bits of bitsInOrder) {
      const talkingBytes = talkingIn(model, needs, bits);
      if (Math.max(talkingBytes ?? Infinity, drawingBytes ?? 0) >= room) continue;
      return { bits, leaveOut, talkingBytes: talkingBytes ?? 0, drawingBytes };
    }
  }
  return null;
}

/** Bytes for words with the language model in so many bits; null where it has fewer already. */
function talkingIn(model: ModelFolder, needs: ModelNeeds, bits: 4 | 8 | null): number | null {
  if (bits === null) return needs.talking;
  const config = readLanguageConfig(model.languageModel, languageWeights(model));
  if (config.quantisation !== undefined) return null;
  const positions = Math.min(model.manifest.maxSequenceLength, config.maxPositions);
  const language = languageNeeds(quantisedConfig(config, bits), cpuTarget, positions);
  const others = needs.conversation.filter(({ part }) => part !== language.part);
  return togetherBytes([language, ...others]);
}

/** A configuration as quantising writes it. */
export function quantisedConfig(config: LlamaConfig, bits: 4 | 8): LlamaConfig {
  const embeddingBits = config.hiddenSize % blockSize === 0 ? 8 : 16;
  const layerBits = Array<4 | 8>(config.layerCount).fill(bits);
  return { ...config, quantisation: { layerBits, blockSize, embeddingBits } };
}

/** Bytes for pictures; null for no drawing, undefined where there is nothing to leave out. */
async function drawingWithout(
  { imageDecoder }: ModelFolder,
  { drawing }: ModelNeeds,
  leaveOut: (typeof leftOutInOrder)[number],
): Promise<number | null | undefined> {
  if (imageDecoder === null || drawing === null) return leaveOut === null ? null : undefined;
  if (leaveOut === null) return drawing.sparing;
  if (leaveOut === 'drawing') return null;
  if (imageDecoder.refiner === null) return undefined;
  return (await decoderNeeds({ ...imageDecoder, refiner: null }, 'cpu')).sparing;
}
