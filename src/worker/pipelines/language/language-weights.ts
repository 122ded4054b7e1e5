import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { readJson } from '../../../base/json-file.ts';
import type { ModelFolder } from '../../../library/model-folder.ts';
import { StudioError } from '../../../shared/errors.ts';
import type { LanguageTokenizer } from '../../inputs/tokenizer.ts';
import { parseLlamaConfig, storedEightBits, type LlamaConfig } from '../../networks/index.ts';
import {
  openCheckpoint,
  readTensorBytes,
  withPrefix,
  type Checkpoint,
} from '../../weights/index.ts';

/** In front of the language model's tensors in a TextBind checkpoint of stage 2. */
export const languagePrefix = 'language_model.';

/** The language model's weights with those of a TextBind checkpoint (`language_model.*`, from stage 2) over them. */
export function overlaid(base: string, checkpoint: string): Checkpoint {
  const both = openCheckpoint(base, checkpoint);
  return {
    folder: both.folder,
    source: both.source,
    find: (name) => both.find(languagePrefix + name) ?? both.find(name),
    names: () =>
      [...both.names()].filter((name) => name.startsWith('model.') || name === 'lm_head.weight'),
  };
}

/** The same over a base that lies in no files of its own: what the checkpoint has is given by its bytes. */
export function overlaidInMemory(base: Checkpoint, checkpoint: string): Checkpoint {
  const over = withPrefix(openCheckpoint(checkpoint), languagePrefix);
  return {
    ...base,
    find(name) {
      const stored = over.find(name);
      if (stored === undefined) return base.find(name);
      const location = {
        kind: 'bytes',
        get bytes() {
          return readTensorBytes(over, name);
        },
      } as const;
      return { ...stored, location };
    },
    names: () => new Set([...base.names(), ...over.names()]),
    blocks: (name, bits) => (over.find(name) ? undefined : base.blocks?.(name, bits)),
  };
}

/** The weights of a model's language model. */
export function languageWeights({
  languageModel,
  checkpoint,
}: Pick<ModelFolder, 'languageModel' | 'checkpoint'>): Checkpoint {
  return checkpoint === null ? openCheckpoint(languageModel) : overlaid(languageModel, checkpoint);
}

/**
 * A folder's weights with the matrices that were folded for reading prompts; undefined where none are stored. Blocks lie
 * in the folder itself, whatever checkpoint is laid over it.
 */
export function openForReading(folder: string): Checkpoint | undefined {
  const folded = join(folder, `${storedEightBits}.safetensors.index.json`);
  return existsSync(folded) ? openCheckpoint(folder, folded) : undefined;
}

/** A language model's config.json, with as many tokens as the weights have rows. */
export function readLanguageConfig(folder: string, weights: Checkpoint): LlamaConfig {
  const file = join(folder, 'config.json');
  return withStoredVocabulary(parseLlamaConfig(readJson(file, 'model-invalid'), file), weights);
}

/** A fine-tuned checkpoint laid over its base has rows for added tokens that the base's config does not count. */
function withStoredVocabulary(config: LlamaConfig, checkpoint: Checkpoint): LlamaConfig {
  const rows = checkpoint.find('model.embed_tokens.weight')?.shape[0] ?? 0;
  return { ...config, vocabularySize: Math.max(config.vocabularySize, rows) };
}

/** @throws StudioError `model-invalid` where the tokenizer knows tokens that the language model has no rows for */
export function checkVocabulary(
  folder: string,
  tokenizer: LanguageTokenizer,
  { vocabularySize: known }: Pick<LlamaConfig, 'vocabularySize'>,
): void {
  // A base model has no rows for TextBind's tokens: it reads pictures, and can never ask for one.
  const ownTokens = Math.min(tokenizer.imageId, tokenizer.startId, tokenizer.endId);
  if (tokenizer.size <= known || (ownTokens === tokenizer.size - 3 && ownTokens <= known)) return;
  throw new StudioError(
    'model-invalid',
    `${folder}: the tokenizer with TextBind's tokens has ${tokenizer.size} tokens, but config.json has vocab_size ${known}`,
  );
}
