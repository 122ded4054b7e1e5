import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { PromptPart, PromptTurn } from '../shared/contracts/worker-protocol.ts';
import {
  imageTag,
  textbindConversationSchema,
  type TextbindConversation,
  type TextbindTurn,
} from '../shared/domain/textbind-conversation.ts';
import { StudioError } from '../shared/errors.ts';
import { UsageError } from './usage.ts';

/**
 * One conversation in the TextBind schema whose last turn is the user's.
 * @throws UsageError naming the file and what is wrong in it
 */
export async function readConversation(file: string): Promise<TextbindConversation> {
  return checkConversation(await readJson(file), file);
}

/** The same of a value that was read from `file`. */
export function checkConversation(json: unknown, file: string): TextbindConversation {
  const parsed = textbindConversationSchema.safeParse(json);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new UsageError(`${file}: ${issue.path.join('.')}: ${issue.message}`);
  }
  if (parsed.data.conversation.at(-1)?.role !== 'user') {
    throw new UsageError(`${file}: the last turn must be the user's`);
  }
  return parsed.data;
}

/** A turn for the engine; `folder` is the pictures', null where only their places count. */
export function toPromptTurn(turn: TextbindTurn, folder: string | null): PromptTurn {
  const parts = turn.content.split(imageTag).flatMap((text, index): PromptPart[] => {
    const words: PromptPart = { kind: 'text', text };
    if (index === 0) return [words];
    const file = path.resolve(folder ?? '.', turn.image_list[index - 1]!);
    if (folder !== null && !existsSync(file))
      throw new StudioError('bad-input', `${file}: the picture does not exist`);
    const caption = turn.caption_list[index - 1] ?? null;
    return [{ kind: 'picture', path: file, caption }, words];
  });
  return { role: turn.role, parts };
}

/** @throws UsageError where the file is not JSON */
export async function readJson(file: string): Promise<unknown> {
  try {
    return JSON.parse(await readFile(file, 'utf8'));
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${file}: cannot be read as JSON (${reason})`);
  }
}
