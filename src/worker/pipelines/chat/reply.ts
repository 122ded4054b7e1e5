import type { WorkerReplyEvent } from '../../../shared/contracts/reply-event.ts';
import type {
  PromptTurn,
  WorkerReplyBody,
  WorkerRequestBody,
} from '../../../shared/contracts/worker-protocol.ts';
import {
  leaveOutPictures,
  unreadableNotice,
} from '../../../shared/contracts/unreadable-pictures.ts';
import { isStudioError, StudioError } from '../../../shared/errors.ts';
import { readPicture, type PictureFile } from '../../inputs/image.ts';
import { buildPrompt, type Prompt } from '../../inputs/prompt.ts';
import type { LanguageTokenizer } from '../../inputs/tokenizer.ts';
import { createHash } from 'node:crypto';
import { freshSeed, RandomNumbers } from '../../sampling/random.ts';
import type { TokenModel } from '../language/token-model.ts';
import { writeReply, type DrawCaption } from './reply-loop.ts';
import {
  nextTurnOfLoop,
  type Position,
  type Sequence,
  type Stretch,
} from '../language/sequence.ts';

/** Turns a picture into what stands for it in a sequence; `Vision` fits. */
export interface PictureReader {
  embed(picture: PictureFile, name?: string, signal?: AbortSignal): Promise<Stretch>;
}

export interface ReplyContext {
  readonly language: TokenModel;
  readonly tokenizer: LanguageTokenizer;
  readonly vision: PictureReader;
  readonly sequence: Sequence;
  /** Most positions of prompt and reply. */
  readonly maxPositions: number;
  /** Positions of a picture. */
  readonly queryTokens: number;
  readonly draw: DrawCaption;
  /** Most pictures that the model was trained to put into one reply. */
  readonly maxPictures: number;
  readonly emit: (event: WorkerReplyEvent) => void;
  readonly signal: AbortSignal;
}

/**
 * Reads a conversation and writes the next assistant turn, or goes on with an unfinished one. What the sequence holds
 * of the prompt already is not read again.
 */
export async function replyTo(
  request: WorkerRequestBody<'chat.reply'>,
  context: ReplyContext,
): Promise<WorkerReplyBody<'chat.reply'>> {
  const startedAt = performance.now();
  const { tokenizer, sequence, emit, signal, maxPositions } = context;
  const { sampling, system } = request;
  const build = (turns: readonly PromptTurn[]): Prompt =>
    buildPrompt(tokenizer, turns, {
      queryTokens: context.queryTokens,
      maxPositions: promptRoom(maxPositions, sampling.maxNewTokens),
      ...(system === undefined ? {} : { system }),
    });
  const { prompt, pictures, unreadable } = await readPictures(request.turns, build, context);
  if (unreadable > 0) emit({ kind: 'notice', notice: unreadableNotice(unreadable) });
  if (prompt.droppedPairs > 0 || prompt.droppedMessages > 0) emit(trimmedNotice(prompt));
  if (pictures === null) return { finish: 'cancelled', usage: emptyUsage(prompt) };
  await prepareSequence(prompt, pictures, context);
  const readyAt = performance.now();
  const last = request.turns.at(-1);
  const isContinued = last?.role === 'assistant';
  const hasPicture = isContinued && last.parts.some(({ kind }) => kind !== 'text');
  const result = await writeReply({
    sequence,
    tokenizer,
    sampling,
    random: new RandomNumbers(sampling.seed ?? freshSeed()),
    maxNewTokens: sampling.maxNewTokens,
    maxPositions,
    draw: context.draw,
    maxPictures: context.maxPictures,
    picturesBefore: isContinued ? last.parts.filter(({ kind }) => kind === 'picture').length : 0,
    embed: (png) => context.vision.embed(pictureOf(png)),
    emit,
    signal,
    beginWithPicture: request.wish === 'draw' && !hasPicture,
    wordsOnly: request.wish === 'words',
    skipLeadingSpace: !isContinued || prompt.cutWhitespace !== '',
  });
  const { prefillSeconds } = result;
  return {
    finish: result.finish,
    usage: {
      promptTokens: prompt.ids.length,
      replyTokens: result.replyTokens,
      prefillSeconds: prefillSeconds ?? 0,
      decodeSeconds: result.decodeSeconds,
      firstTokenSeconds:
        prefillSeconds === null ? null : prefillSeconds + (readyAt - startedAt) / 1000,
      pictures: result.pictures,
      drawSeconds: result.drawSeconds,
    },
  };
}

/**
 * Positions that a prompt may take of `maxPositions`: the reply has its room, but never more than a quarter, for a
 * short context should still hold a conversation.
 */
export function promptRoom(maxPositions: number, maxNewTokens: number): number {
  return maxPositions - Math.min(maxNewTokens, Math.floor(maxPositions / 4));
}

/**
 * The prompt and what the model sees in its pictures; null when Stop came in between. A picture that cannot be read is
 * left out, for it would stand in the way of everything that is said after it.
 */
async function readPictures(
  turns: readonly PromptTurn[],
  build: (turns: readonly PromptTurn[]) => Prompt,
  context: ReplyContext,
): Promise<{
  readonly prompt: Prompt;
  readonly pictures: Stretch[] | null;
  readonly unreadable: number;
}> {
  const unreadable = new Set<string>();
  for (;;) {
    // Without it more of the conversation may fit, and with that other pictures: those read already are remembered.
    const prompt = build(leaveOutPictures(turns, unreadable));
    const before = unreadable.size;
    const pictures = await embedPictures(prompt, context, unreadable);
    if (unreadable.size === before) return { prompt, pictures, unreadable: unreadable.size };
  }
}

/** Null when Stop came in between. Notes the paths of those that cannot be read. */
async function embedPictures(
  prompt: Prompt,
  { vision, signal }: ReplyContext,
  unreadable: Set<string>,
): Promise<Stretch[] | null> {
  const stretches: Stretch[] = [];
  for (const { path } of prompt.pictures) {
    await nextTurnOfLoop();
    if (signal.aborted) return null;
    try {
      stretches.push(await vision.embed(await readPicture(path), path, signal));
    } catch (error) {
      if (isStudioError(error, 'cancelled')) return null;
      if (!isStudioError(error, 'bad-input')) throw error;
      unreadable.add(path);
    }
  }
  return stretches;
}

/** Goes back to what the sequence and the prompt have in common, and gives the rest to be read. */
async function prepareSequence(
  prompt: Prompt,
  pictures: readonly Stretch[],
  { language, tokenizer, sequence }: ReplyContext,
): Promise<void> {
  const placed = prompt.pictures.map(({ position }, index) => {
    const picture = pictures[index];
    if (!picture) throw new StudioError('internal', `picture ${index} of the prompt was not read`);
    return { position, picture };
  });
  const positions: Position[] = [...prompt.ids];
  for (const { position, picture } of placed) {
    positions.splice(position, picture.positions.length, ...picture.positions);
  }
  const shared = sequence.sharedLength(positions);
  sequence.keep(shared);
  // A base model without rows for TextBind's tokens can still read pictures: their rows are written over anyway.
  const ids = prompt.ids.map((id) => (id === tokenizer.imageId ? tokenizer.endOfTurnId : id));
  const rows = Float32Array.from(await language.embed(ids.slice(shared)));
  const { hiddenSize } = language.config;
  for (const { position, picture } of placed) {
    // A picture that is half in the cache: only its later rows are written.
    const skipped = Math.max(shared - position, 0);
    if (skipped >= picture.positions.length) continue;
    rows.set(
      picture.rows.subarray(skipped * hiddenSize),
      (position + skipped - shared) * hiddenSize,
    );
  }
  sequence.feed({ positions: positions.slice(shared), rows });
}

function pictureOf(bytes: Uint8Array): PictureFile {
  return { bytes, hash: createHash('sha256').update(bytes).digest('hex') };
}

function trimmedNotice({ droppedPairs, droppedMessages }: Prompt): WorkerReplyEvent {
  const dropped = [
    counted(droppedPairs, 'exchange', 'exchanges'),
    counted(droppedMessages, 'message without a reply', 'messages without a reply'),
  ].filter((what) => what !== null);
  const were = droppedPairs + droppedMessages === 1 ? 'was' : 'were';
  return {
    kind: 'notice',
    notice: {
      code: 'context-trimmed',
      message: `The conversation is longer than the model can read; the first ${dropped.join(' and ')} ${were} left out.`,
    },
  };
}

function counted(count: number, one: string, many: string): string | null {
  if (count === 0) return null;
  return count === 1 ? one : `${count} ${many}`;
}

function emptyUsage(prompt: Prompt): WorkerReplyBody<'chat.reply'>['usage'] {
  return {
    promptTokens: prompt.ids.length,
    replyTokens: 0,
    prefillSeconds: 0,
    decodeSeconds: 0,
    firstTokenSeconds: null,
    pictures: 0,
    drawSeconds: 0,
  };
}
