import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Conversation } from '../../shared/domain/conversation.ts';
import type { Turn } from '../../shared/domain/turn.ts';
import { textbindConversationSchema } from '../../shared/domain/textbind-conversation.ts';
import { fileNameOf, pictureFileName } from '../conversations/export.ts';
import type { DemoTurn } from './script.ts';

/** Checks a stored turn and its reply against the script. Throws with what is wrong. */
export function checkReply(
  expected: DemoTurn,
  sent: Turn | undefined,
  reply: Turn,
  fileOf: (hash: string) => string,
): void {
  const quoted = `The reply to "${expected.words}"`;
  if (reply.status !== 'complete' && reply.status !== 'cut') {
    throw new Error(`${quoted} is ${reply.status}: ${reply.error?.message ?? 'no reason given'}`);
  }
  const sentPictures = sent?.parts.filter(({ kind }) => kind === 'picture').length ?? 0;
  if (sentPictures !== (expected.withPicture ? 1 : 0)) {
    throw new Error(`"${expected.words}" was stored with ${sentPictures} pictures.`);
  }
  const says = reply.parts.some((part) => part.kind === 'text' && part.text.trim() !== '');
  const drawn = reply.parts.flatMap((part) => (part.kind === 'picture' ? [part.picture] : []));
  if (!says && drawn.length === 0) throw new Error(`${quoted} is empty.`);
  if (expected.mustDraw && drawn.length === 0) throw new Error(`${quoted} has no picture.`);
  for (const picture of drawn) {
    const incomplete = picture.origin !== 'drawn' || picture.recipe === null || !picture.caption;
    if (incomplete) throw new Error(`${quoted} has a picture without caption or recipe.`);
    if (!existsSync(fileOf(picture.hash))) throw new Error(`${quoted}: its picture is no file.`);
  }
}

/** The file that an export into `folder` writes. */
export function exportedFile(
  folder: string,
  extension: 'md' | 'json',
  conversation: Conversation,
): string {
  return path.join(folder, `${fileNameOf(conversation.summary.title)}.${extension}`);
}

/**
 * Waits for an export and checks that every word and every picture of the conversation is in it.
 * @returns the exported file
 */
export async function checkExports(
  folder: string,
  extension: 'md' | 'json',
  conversation: Conversation,
  signal: AbortSignal,
): Promise<string> {
  const file = exportedFile(folder, extension, conversation);
  while (!existsSync(file)) {
    if (signal.aborted) throw new Error(`${file} was not exported.`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const text = readFileSync(file, 'utf8');
  if (extension === 'json') checkTextbind(text, conversation);
  checkContents(file, text, conversation);
  return file;
}

function checkContents(file: string, text: string, conversation: Conversation): void {
  const pictureFolder = path.join(
    path.dirname(file),
    `${path.basename(file, path.extname(file))}-pictures`,
  );
  const escaped = path.extname(file) === '.json';
  for (const part of conversation.turns.flatMap(({ parts }) => parts)) {
    if (part.kind === 'text') {
      const words = escaped ? JSON.stringify(part.text).slice(1, -1) : part.text.trim();
      if (!text.includes(words)) throw new Error(`${file} lacks "${part.text.slice(0, 60)}".`);
    } else if (part.kind === 'picture') {
      const name = pictureFileName(part.picture);
      if (!text.includes(name)) throw new Error(`${file} does not name ${name}.`);
      if (!existsSync(path.join(pictureFolder, name)))
        throw new Error(`${name} is not beside ${file}.`);
    }
  }
}

function checkTextbind(text: string, conversation: Conversation): void {
  const parsed = textbindConversationSchema.parse(JSON.parse(text));
  const roles = parsed.conversation.map(({ role }) => role).join();
  const expected = conversation.turns.map(({ role }) => role).join();
  if (roles !== expected) throw new Error(`The JSON's turns are ${roles}, not ${expected}.`);
}
