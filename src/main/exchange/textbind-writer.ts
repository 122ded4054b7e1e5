import {
  imageTag,
  textbindConversationSchema,
  type TextbindConversation,
  type TextbindTurn,
} from '../../shared/domain/textbind-conversation.ts';
import { markupTags } from '../../shared/domain/markup-tags.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { pictureFileName } from '../conversations/export.ts';

/** A zero-width space behind its first character keeps a tag words, and readable. */
const mark = '\u200b';
const escaped = (tag: string): string => `${tag[0]}${mark}${tag.slice(1)}`;

/** Words in which nothing has a meaning for the prompt. */
export function escapeTags(words: string): string {
  return markupTags.reduce<string>((text, tag) => text.replaceAll(tag, escaped(tag)), words);
}

/** The words as they were before {@link escapeTags}. */
export function unescapeTags(words: string): string {
  return markupTags.reduceRight<string>((text, tag) => text.replaceAll(escaped(tag), tag), words);
}

/** A conversation in the data schema of TextBind, and how many of its turns are not in it. */
export interface TextbindExport {
  /** Null where no message was answered. */
  readonly data: TextbindConversation | null;
  readonly leftOut: number;
}

/**
 * The current path in the data schema of TextBind, as stage 2 reads it: a message and its reply in turn. A message that
 * nobody answered is left out, and so is a reply that says nothing. A picture that was not drawn stays as its caption's
 * words.
 */
export function toTextbind(turns: readonly Turn[], pictureFolder: string): TextbindExport {
  const said = turns.map(toTextbindTurn);
  const pairs: TextbindTurn[] = [];
  for (const [index, turn] of said.entries()) {
    const before = said[index - 1];
    const isAnswer = turn.role === 'assistant' && before?.role === 'user';
    if (isAnswer && turn.content.trim() !== '' && before.content.trim() !== '') {
      pairs.push(before, turn);
    }
  }
  const leftOut = turns.length - pairs.length;
  if (pairs.length === 0) return { data: null, leftOut };
  const data = textbindConversationSchema.parse({ conversation: pairs, image_dir: pictureFolder });
  return { data, leftOut };
}

function toTextbindTurn(turn: Turn): TextbindTurn {
  const pictures = turn.parts.filter((part) => part.kind === 'picture').map((part) => part.picture);
  const captions = pictures.map(({ caption }) => escapeTags(caption?.trim() ?? ''));
  const hasAll = captions.every((caption) => caption !== '');
  return {
    role: turn.role,
    content: turn.parts.map(toContent).join(''),
    image_list: pictures.map(pictureFileName),
    // A person's pictures need no captions; where there are some, there is one for each.
    caption_list:
      turn.role === 'user' && !hasAll ? [] : captions.map((words) => words || 'a picture'),
  };
}

function toContent(part: MessagePart): string {
  if (part.kind === 'picture') return imageTag;
  return escapeTags(part.kind === 'text' ? part.text : part.caption);
}
