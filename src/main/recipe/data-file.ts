/** Accepted conversations as data of stage 2: TextBind JSON with its pictures beside it. */
import { copyFile, mkdir } from 'node:fs/promises';
import path from 'node:path';
import { writeWholeFile } from '../../base/whole-file.ts';
import { StudioError } from '../../shared/errors.ts';
import { toTextbindTurns } from '../../shared/domain/recipe-conversation.ts';
import type { RecipePicture } from './recipe-folder.ts';

export interface AcceptedConversation {
  readonly text: string;
  readonly pictures: readonly RecipePicture[];
}

const imagesFolder = 'images';

/**
 * Writes train.json last. @param file where a picture lies now
 * @returns its path
 * @throws StudioError `bad-input` where nothing was accepted
 */
export async function writeDataFile(
  folder: string,
  accepted: readonly AcceptedConversation[],
  file: (number: number) => string,
): Promise<string> {
  if (accepted.length === 0) {
    throw new StudioError('bad-input', 'No conversation is accepted yet: look through them first.');
  }
  const images = path.join(folder, imagesFolder);
  await mkdir(images, { recursive: true });
  const used = new Set(accepted.flatMap(({ pictures }) => pictures.map(({ number }) => number)));
  for (const number of used) await copyFile(file(number), path.join(images, nameOf(number)));
  const rows = accepted.map(({ text, pictures }) => ({
    conversation: toTextbindTurns(
      text,
      pictures.map(({ caption }) => caption),
      pictures.map(({ number }) => nameOf(number)),
    ),
    image_dir: imagesFolder,
  }));
  const train = path.join(folder, 'train.json');
  await writeWholeFile(train, `${JSON.stringify(rows, null, 1)}\n`);
  return train;
}

const nameOf = (number: number): string => `${String(number).padStart(6, '0')}.jpg`;
