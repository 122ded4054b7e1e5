import type {
  DrawingProgress,
  DrawnPicture,
  WorkerReplyEvent,
} from '../../../shared/contracts/reply-event.ts';
import type { FinishReason } from '../../../shared/contracts/worker-protocol.ts';
import type { Notice } from '../../../shared/domain/turn.ts';
import { StudioError, toWireError, type WireError } from '../../../shared/errors.ts';
import { createDetokenizer } from '../../inputs/detokenizer.ts';
import { undrawnIds } from '../../inputs/prompt.ts';
import type { LanguageTokenizer } from '../../inputs/tokenizer.ts';
import { uniforms, type RandomNumbers } from '../../sampling/random.ts';
import type { TokenSampling } from '../../sampling/token-sampler.ts';
import {
  nextTurnOfLoop,
  runLength,
  type Sequence,
  type SequenceMark,
  type Stretch,
} from '../language/sequence.ts';
import { TextStream } from './text-stream.ts';

/** Draws one caption. Throws when it cannot, or when the signal is aborted. */
export type DrawCaption = (
  caption: string,
  onProgress: (progress: DrawingProgress) => void,
  signal: AbortSignal,
) => Promise<DrawnPicture>;

export interface ReplyLoopOptions {
  /** Most pictures of this reply; `maxPicturesPerReply` where the model does not say. */
  readonly maxPictures?: number;
  /** Pictures that a reply which goes on has already; they count. */
  readonly picturesBefore?: number;
  /** The prompt waits in it to be read. */
  readonly sequence: Sequence;
  readonly tokenizer: LanguageTokenizer;
  readonly sampling: TokenSampling;
  readonly random: RandomNumbers;
  readonly maxNewTokens: number;
  /** Most positions of the whole sequence. */
  readonly maxPositions: number;
  readonly draw: DrawCaption;
  /** What stands in the context for a picture that was just drawn. */
  readonly embed: (png: Uint8Array) => Promise<Stretch>;
  readonly emit: (event: WorkerReplyEvent) => void;
  readonly signal: AbortSignal;
  /** Whether a space at the very start is left out (a fresh reply, or one whose text ends in a space). */
  readonly skipLeadingSpace: boolean;
  /** The model is given `<start>` and writes a caption before anything else. */
  readonly beginWithPicture?: boolean;
  /** No picture is begun, without a word about it. */
  readonly wordsOnly?: boolean;
}

/** Figures of the loop; seconds are wall time. */
export interface ReplyLoopResult {
  readonly finish: FinishReason;
  readonly replyTokens: number;
  readonly pictures: number;
  /** From the start to the first token; null where none was written. */
  readonly prefillSeconds: number | null;
  readonly decodeSeconds: number;
  readonly drawSeconds: number;
}

/** `textbind.md` section 1: the reference's safe limit of pictures. */
export const maxPicturesPerReply = 4;
/** CLIP reads 77 tokens; a caption of more than this is one that forgot to end. */
export const maxCaptionTokens = 96;

type State =
  | { readonly kind: 'text' }
  | {
      readonly kind: 'caption';
      /** The sequence before `<start>`. */
      readonly before: SequenceMark;
      readonly ids: number[];
    };

/**
 * Writes one reply: text, and where the model says `<start> caption <end>`, a drawn picture that then stands in the
 * context in place of its caption (`textbind.md` section 3).
 *
 *               <start>                <end> / limit / end of turn
 *        text ----------> caption -----------------------------------> draw
 *         ^                  |                                          |
 *         |  empty caption:  |    before <start> is restored, then the  |
 *         +--- no <start> <--+    picture's embeddings (or, where the   |
 *         +------------------------ drawing failed, the caption's words) are read
 *
 * Tokens that make no sense where they stand (`<end>` in text, `<start>` in a caption, `<image>` anywhere, `<start>`
 * after the last picture allowed, right behind a failed drawing, or where only words are wished) are taken back and
 * chosen anew without them. A reply that is to begin with a picture begins in the caption.
 */
export async function writeReply(options: ReplyLoopOptions): Promise<ReplyLoopResult> {
  return new ReplyLoop(options).run();
}

class ReplyLoop {
  readonly #options: ReplyLoopOptions;
  readonly #stopIds: readonly number[];
  readonly #endIds: ReadonlySet<number>;
  readonly #noticed = new Set<Notice['code']>();
  readonly #startedAt = performance.now();
  #text: TextStream;
  #state: State = { kind: 'text' };
  #captionText = '';
  #captionDetokenizer;
  #captionStarted = false;
  #run = 0;
  #tokens = 0;
  #drawings: number;
  /** A drawing failed and no words came since: the model would only ask for the same again. */
  #failedJustNow = false;
  #pictures = 0;
  #firstTokenAt: number | null = null;
  #drawMs = 0;

  constructor(options: ReplyLoopOptions) {
    const { tokenizer } = options;
    this.#options = options;
    this.#drawings = options.picturesBefore ?? 0;
    // A new begin token is the start of another pair: the model has ended its turn without saying so.
    this.#endIds = new Set([tokenizer.endOfTurnId, ...tokenizer.encode(tokenizer.beginToken)]);
    this.#stopIds = [...this.#endIds, tokenizer.startId, tokenizer.endId, tokenizer.imageId];
    this.#text = this.#newText(options.skipLeadingSpace);
    this.#captionDetokenizer = createDetokenizer(tokenizer);
  }

  async run(): Promise<ReplyLoopResult> {
    const { sequence, signal } = this.#options;
    try {
      await sequence.readAhead(signal);
      if (this.#options.beginWithPicture === true) await this.#beginWithPicture();
      for (;;) {
        await nextTurnOfLoop();
        if (signal.aborted) return await this.#stopped();
        const finish = await this.#step();
        if (finish !== null) return this.#result(finish);
      }
    } catch (error) {
      if (signal.aborted) return this.#stopped();
      throw error;
    }
  }

  /** As if the model had said `<start>`: the prompt is read to its end first, so that it can be come back to. */
  async #beginWithPicture(): Promise<void> {
    const { sequence, tokenizer, signal } = this.#options;
    await sequence.readAhead(signal, 0);
    this.#openCaption();
    sequence.feed(await sequence.stretchOf([tokenizer.startId]));
  }

  /** One run of the decoder and what follows from it; a reason when the reply is at its end. */
  async #step(): Promise<FinishReason | null> {
    const { sequence, sampling, random, maxNewTokens } = this.#options;
    let outcome = await this.#decode();
    while (outcome.kind === 'choose anew') {
      if (this.#tokens >= maxNewTokens) {
        outcome = await this.#outOfRoom();
      } else {
        const token = await sequence.resample(outcome.banned, sampling, random.uniform());
        outcome = await this.#take([token]);
      }
    }
    return outcome.kind === 'finish' ? outcome.reason : null;
  }

  async #decode(): Promise<Outcome> {
    const { sequence, sampling } = this.#options;
    const maxTokens = Math.min(this.#nextRunLength(), this.#room());
    if (maxTokens < 1) return this.#outOfRoom();
    const tokens = await sequence.decode({
      maxTokens,
      stopIds: this.#stopIds,
      sampling,
      uniforms: this.#uniforms(maxTokens),
    });
    this.#firstTokenAt ??= performance.now();
    return this.#take(tokens);
  }

  /** Numbers of a seed are used in order, one a token, however the tokens fall into runs. */
  #uniforms(count: number): Float32Array {
    const { sampling, random } = this.#options;
    return sampling.temperature === 0 ? new Float32Array(count) : uniforms(random, count);
  }

  #nextRunLength(): number {
    this.#run += 1;
    return runLength(this.#run - 1);
  }

  /** Tokens that may still be written before the reply, the context or the caption is full. */
  #room(): number {
    const { sequence, maxNewTokens, maxPositions } = this.#options;
    // The last token written is not read, so it takes no position.
    const context = maxPositions - sequence.lengthWithNext + 1;
    const caption =
      this.#state.kind === 'caption' ? maxCaptionTokens - this.#state.ids.length : Infinity;
    return Math.min(maxNewTokens - this.#tokens, context, caption);
  }

  /** The limit of the reply, the context or the caption is reached. A caption is cut, and its picture still drawn. */
  async #outOfRoom(): Promise<Outcome> {
    if (this.#state.kind === 'caption') return this.#endCaption(this.#state, true);
    return { kind: 'finish', reason: this.#finishText('length') };
  }

  /** Takes tokens in; the last may be a stop token. */
  async #take(tokens: readonly number[]): Promise<Outcome> {
    this.#tokens += tokens.length;
    const last = tokens.at(-1);
    if (last === undefined) return goOn;
    const isStop = this.#stopIds.includes(last);
    const said = isStop ? tokens.slice(0, -1) : tokens;
    if (this.#state.kind === 'text') {
      this.#text.push(said);
      return isStop ? this.#stopInText(last) : goOn;
    }
    this.#growCaption(this.#state, said);
    return isStop ? this.#stopInCaption(this.#state, last) : goOn;
  }

  #stopInText(token: number): Outcome {
    const { tokenizer } = this.#options;
    if (this.#endIds.has(token)) return { kind: 'finish', reason: this.#finishText('end') };
    if (token === tokenizer.endId) {
      this.#notice(
        'stray-end',
        'The model ended a picture that it had not begun; that was left out.',
      );
      return this.#without([]);
    }
    if (token !== tokenizer.startId) return this.#without([]);
    if (this.#failedJustNow || this.#options.wordsOnly === true) {
      return this.#without([tokenizer.startId]);
    }
    const most = this.#options.maxPictures ?? maxPicturesPerReply;
    if (this.#drawings >= most) {
      // Where a person asked for the picture, the model's own wish for one is no news.
      if (this.#options.beginWithPicture === true) return this.#without([tokenizer.startId]);
      this.#notice(
        'too-many-pictures',
        `The model wanted more than ${most} ${most === 1 ? 'picture' : 'pictures'} in one reply; the rest was left out.`,
      );
      return this.#without([tokenizer.startId]);
    }
    this.#openCaption();
    return goOn;
  }

  #openCaption(): void {
    const { sequence, tokenizer } = this.#options;
    this.#state = { kind: 'caption', before: sequence.mark(), ids: [] };
    this.#captionText = '';
    this.#captionStarted = false;
    this.#captionDetokenizer = createDetokenizer(tokenizer);
  }

  async #stopInCaption(
    caption: Extract<State, { kind: 'caption' }>,
    token: number,
  ): Promise<Outcome> {
    const { tokenizer, beginWithPicture } = this.#options;
    if (beginWithPicture === true && this.#drawings === 0 && caption.ids.length === 0) {
      // A person asked for a picture: the model says which, before it may end.
      const ends = [tokenizer.startId, tokenizer.imageId, tokenizer.endId, ...this.#endIds];
      return { kind: 'choose anew', banned: new Set(ends) };
    }
    if (token === tokenizer.endId) return this.#endCaption(caption, false);
    if (this.#endIds.has(token)) return this.#endCaption(caption, true);
    return { kind: 'choose anew', banned: new Set([tokenizer.startId, tokenizer.imageId]) };
  }

  /** In text, `<end>` and `<image>` never make sense. */
  #without(ids: readonly number[]): Outcome {
    const { tokenizer } = this.#options;
    return {
      kind: 'choose anew',
      banned: new Set([tokenizer.endId, tokenizer.imageId, ...ids]),
    };
  }

  #growCaption(caption: Extract<State, { kind: 'caption' }>, ids: readonly number[]): void {
    caption.ids.push(...ids);
    this.#showCaption(this.#captionDetokenizer.push(ids));
  }

  /** Nothing is shown of a caption before its first word: an empty one leaves no trace. */
  #showCaption(piece: string): void {
    const { emit } = this.#options;
    const shown = this.#captionStarted ? piece : piece.trimStart();
    if (shown === '') return;
    if (!this.#captionStarted) {
      this.#captionStarted = true;
      this.#text.pause();
      emit({ kind: 'caption-started' });
    }
    this.#captionText += shown;
    emit({ kind: 'caption-text', text: shown });
  }

  async #endCaption(
    { before }: Extract<State, { kind: 'caption' }>,
    isCut: boolean,
  ): Promise<Outcome> {
    const { sequence, tokenizer, emit, signal } = this.#options;
    const caption = this.#takeCaption();
    this.#state = { kind: 'text' };
    if (caption === '') {
      sequence.restore(before);
      this.#notice('caption-empty', 'The model began a picture without saying what it shows.');
      return this.#without([tokenizer.startId]);
    }
    if (isCut) {
      this.#notice('caption-cut', 'The description of a picture did not end; it was cut.');
    }
    emit({ kind: 'caption-finished', caption });
    this.#text = this.#newText(false);
    const replacement = await this.#replacementFor(caption);
    sequence.restore(before);
    if (replacement === null) return { kind: 'finish', reason: 'cancelled' };
    sequence.feed(replacement);
    await sequence.readAhead(signal);
    // The reply goes on at once after a picture, so its next words should come at once too.
    this.#run = 0;
    return goOn;
  }

  #takeCaption(): string {
    this.#showCaption(this.#captionDetokenizer.flush());
    return this.#captionText.trim();
  }

  /** What stands in the context for the caption: the picture, or its words where it could not be drawn. */
  async #replacementFor(caption: string): Promise<Stretch | null> {
    const { embed, signal, sequence, tokenizer } = this.#options;
    const from = performance.now();
    try {
      const picture = await this.#drawn(caption);
      await nextTurnOfLoop();
      if (signal.aborted) return null;
      if (picture !== null) return await embed(picture.png);
      return await sequence.stretchOf(undrawnIds(tokenizer, caption));
    } finally {
      this.#drawMs += performance.now() - from;
    }
  }

  /** The picture; null where drawing failed, which the reply survives. */
  async #drawn(caption: string): Promise<DrawnPicture | null> {
    const { draw, emit, signal } = this.#options;
    this.#drawings += 1;
    let picture: DrawnPicture;
    try {
      signal.throwIfAborted();
      picture = await draw(caption, emit, signal);
    } catch (error) {
      this.#failedJustNow = true;
      emit({
        kind: 'drawing-failed',
        caption,
        error: signal.aborted ? stoppedError() : toWireError(error),
      });
      return null;
    }
    this.#pictures += 1;
    emit(picture);
    return picture;
  }

  #newText(skipLeadingSpace: boolean): TextStream {
    const { tokenizer, emit } = this.#options;
    const say = (text: string): void => {
      if (text.trim() !== '') this.#failedJustNow = false;
      emit({ kind: 'text', text });
    };
    return new TextStream(tokenizer, say, skipLeadingSpace);
  }

  #finishText(reason: FinishReason): FinishReason {
    this.#text.finish();
    return reason;
  }

  /** Stop: what was said stays, a caption begun becomes one that can be drawn later. */
  async #stopped(): Promise<ReplyLoopResult> {
    const { emit, sequence } = this.#options;
    if (this.#state.kind === 'caption') {
      const caption = this.#takeCaption();
      sequence.restore(this.#state.before);
      if (caption !== '') {
        emit({ kind: 'caption-finished', caption });
        emit({ kind: 'drawing-failed', caption, error: stoppedError() });
      }
    } else {
      this.#finishText('cancelled');
    }
    return this.#result('cancelled');
  }

  #notice(code: Notice['code'], message: string): void {
    if (this.#noticed.has(code)) return;
    this.#noticed.add(code);
    this.#options.emit({ kind: 'notice', notice: { code, message } });
  }

  #result(finish: FinishReason): ReplyLoopResult {
    const end = performance.now();
    const first = this.#firstTokenAt;
    return {
      finish,
      replyTokens: this.#tokens,
      pictures: this.#pictures,
      prefillSeconds: first === null ? null : (first - this.#startedAt) / 1000,
      decodeSeconds: first === null ? 0 : Math.max(end - first - this.#drawMs, 0) / 1000,
      drawSeconds: this.#drawMs / 1000,
    };
  }
}

type Outcome =
  | { readonly kind: 'go on' }
  | { readonly kind: 'finish'; readonly reason: FinishReason }
  | { readonly kind: 'choose anew'; readonly banned: ReadonlySet<number> };

const goOn: Outcome = { kind: 'go on' };

function stoppedError(): WireError {
  return toWireError(new StudioError('cancelled', 'Stopped before the picture was drawn.'));
}
