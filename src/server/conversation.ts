import { spaced } from '../shared/contracts/prompt-spacing.ts';
import type { PromptPart, PromptTurn } from '../shared/contracts/worker-protocol.ts';
import { isStudioError } from '../shared/errors.ts';
import { ApiError } from './api-error.ts';
import type { ChatMessage, ContentPart } from './chat-request.ts';
import type { ServedEngine } from './engine.ts';
import { readMarks } from './picture-marks.ts';
import {
  pictureHash,
  readPictureUrl,
  type PictureHolder,
  type RememberedDrawings,
} from './pictures.ts';

/** Pictures of one request that are looked at. */
const mostPictures = 64;

export interface ReadConversation {
  readonly system: string | undefined;
  readonly turns: readonly PromptTurn[];
}

export interface ConversationContext {
  readonly holder: PictureHolder;
  readonly remembered: RememberedDrawings;
  readonly checkPicture: ServedEngine['checkPicture'];
  readonly signal: AbortSignal;
}

/**
 * Messages as the engine is asked with them; pictures are decoded for trial, and become files that the holder holds.
 * @throws ApiError 400 naming the message at fault
 */
export async function readConversation(
  messages: readonly ChatMessage[],
  context: ConversationContext,
): Promise<ReadConversation> {
  const reader = new Reader(context);
  const turns: PromptTurn[] = [];
  const system: string[] = [];
  for (const [index, message] of messages.entries()) {
    const field = `messages.${index}.content`;
    if (message.role === 'user')
      turns.push({ role: 'user', parts: await reader.said(message.content, field) });
    else if (message.role === 'assistant')
      turns.push(await reader.reply(message, `messages.${index}`));
    else system.push(wordsOf(message.content, field));
  }
  if (turns.at(-1)?.role !== 'user') {
    throw new ApiError(400, "The last message must be the user's.", { param: 'messages' });
  }
  return { system: system.length === 0 ? undefined : system.join('\n\n'), turns };
}

class Reader {
  readonly #context: ConversationContext;
  #pictures = 0;

  constructor(context: ConversationContext) {
    this.#context = context;
  }

  async said(content: string | readonly ContentPart[], field: string): Promise<PromptPart[]> {
    if (typeof content === 'string') return [{ kind: 'text', text: content }];
    const parts: PromptPart[] = [];
    for (const [index, part] of content.entries()) {
      parts.push(await this.#part(part, `${field}.${index}`));
    }
    return parts.map(spaced);
  }

  /** A reply with its pictures where their marks stand; those without a mark stand at its end. */
  async reply(
    message: Extract<ChatMessage, { role: 'assistant' }>,
    field: string,
  ): Promise<PromptTurn> {
    const given = new Map<string, Uint8Array>();
    for (const [index, { image_url }] of (message.images ?? []).entries()) {
      const bytes = readPictureUrl(image_url.url, `${field}.images.${index}`);
      given.set(pictureHash(bytes), bytes);
    }
    const { content } = message;
    const pieces: readonly (ContentPart | string)[] =
      typeof content === 'string' ? [content] : (content ?? []);
    const parts: PromptPart[] = [];
    for (const [index, piece] of pieces.entries()) {
      if (typeof piece !== 'string' && piece.type === 'image_url') {
        parts.push(await this.#part(piece, `${field}.content.${index}`));
        continue;
      }
      const words =
        typeof piece === 'string' ? piece : piece.type === 'text' ? piece.text : piece.refusal;
      parts.push(...(await this.#marked(words, given, field)));
    }
    for (const bytes of given.values())
      parts.push(await this.#picture(bytes, null, `${field}.images`));
    return { role: 'assistant', parts };
  }

  async #marked(
    words: string,
    given: Map<string, Uint8Array>,
    field: string,
  ): Promise<PromptPart[]> {
    const parts: PromptPart[] = [];
    for (const piece of readMarks(words)) {
      if (piece.kind === 'text') {
        parts.push(piece);
        continue;
      }
      const { caption, hash } = piece;
      const bytes = given.get(hash) ?? this.#context.remembered.find(hash);
      given.delete(hash);
      // A picture that nobody has any more is its caption, as one that was not drawn.
      parts.push(
        bytes === null ? { kind: 'undrawn', caption } : await this.#picture(bytes, caption, field),
      );
    }
    return parts;
  }

  async #part(part: ContentPart, field: string): Promise<PromptPart> {
    if (part.type === 'text') return { kind: 'text', text: part.text };
    if (part.type === 'refusal') return { kind: 'text', text: part.refusal };
    const param = `${field}.image_url`;
    return this.#picture(readPictureUrl(part.image_url.url, param), null, param);
  }

  async #picture(bytes: Uint8Array, caption: string | null, param: string): Promise<PromptPart> {
    const { holder, checkPicture, signal, remembered } = this.#context;
    this.#pictures += 1;
    if (this.#pictures > mostPictures) {
      throw new ApiError(400, `A request has at most ${mostPictures} pictures.`, { param });
    }
    try {
      // What was drawn here needs no trial.
      if (remembered.find(pictureHash(bytes)) === null) {
        await checkPicture(bytes, `The picture in ${param}`, signal);
      }
    } catch (error) {
      if (!isStudioError(error, 'bad-input')) throw error;
      throw new ApiError(400, error.message, { code: 'invalid_image', param, cause: error });
    }
    return { kind: 'picture', path: await holder.hold(bytes), caption };
  }
}

function wordsOf(content: string | readonly ContentPart[], field: string): string {
  if (typeof content === 'string') return content;
  return content
    .map((part) => {
      if (part.type === 'text') return part.text;
      throw new ApiError(400, 'A system message is words alone.', { param: field });
    })
    .join('');
}
