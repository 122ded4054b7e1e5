import { existsSync } from 'node:fs';
import path from 'node:path';
import { checkJson, readJson } from '../base/json-file.ts';
import type { PromptPart, PromptTurn } from '../shared/contracts/worker-protocol.ts';
import {
  imageTag,
  textbindConversationSchema,
  type TextbindConversation,
  type TextbindTurn,
} from '../shared/domain/textbind-conversation.ts';
import { StudioError, known } from '../shared/errors.ts';
import { UsageError } from './usage.ts';

/**
 * One conversation in the TextBind schema whose last turn is the user's.
 * @throws StudioError `bad-input` naming the file and what is wrong in it
 */
export function readConversation(file: string): TextbindConversation {
  return checkConversation(readJson(file, 'bad-input'), file);
}

/** The same of a value that was read from `file`. */
export function checkConversation(json: unknown, file: string): TextbindConversation {
  const checked = checkJson(json, textbindConversationSchema, file, 'bad-input');
  if (checked.conversation.at(-1)?.role !== 'user') {
    throw new UsageError(`${file}: the last turn must be the user's`);
  }
  return checked;
}

/** A turn for the engine; `folder` is the pictures', null where only their places count. */
export function toPromptTurn(turn: TextbindTurn, folder: string | null): PromptTurn {
  const parts = turn.content.split(imageTag).flatMap((text, index): PromptPart[] => {
    const words: PromptPart = { kind: 'text', text };
    if (index === 0) return [words];
    const file = path.resolve(folder ?? '.', known(turn.image_list[index - 1], `picture ${index}`));
    if (folder !== null && !existsSync(file))
      throw new StudioError('bad-input', `${file}: the picture does not exist`);
    const caption = turn.caption_list[index - 1] ?? null;
    return [{ kind: 'picture', path: file, caption }, words];
  });
  return { role: turn.role, parts };
}
