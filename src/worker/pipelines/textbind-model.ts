import type { WorkerReplyEvent } from '../../shared/contracts/reply-event.ts';
import type { WorkerReplyBody, WorkerRequestBody } from '../../shared/contracts/worker-protocol.ts';
import type { OpenModelReport } from '../../shared/domain/engine-status.ts';
import type { ProviderPreference } from '../../shared/domain/settings.ts';
import { StudioError } from '../../shared/errors.ts';
import { measurePrompt, type PromptOptions } from '../inputs/prompt.ts';
import { shortenMessage } from '../inputs/shorten.ts';
import { openLanguageTokenizer, type LanguageTokenizer } from '../inputs/tokenizer.ts';
import { chooseProvider, type Provider, type ProviderChoice } from '../runtime/index.ts';
import { promptRoom, replyTo } from './chat/reply.ts';
import { readDiffusion } from './drawing/diffusion-config.ts';
import { Drawer, type Draw } from './drawing/drawer.ts';
import type { Painter } from './drawing/painter.ts';
import { LanguageModel } from './language/language-model.ts';
import { checkVocabulary, overlaid } from './language/language-weights.ts';
import { planModel, type DrawingMode } from './memory/plan.ts';
import { toStudioError } from './model-errors.ts';
import { readModelFolder, type ModelFolder } from '../../library/model-folder.ts';
import { nextTurnOfLoop, Sequence } from './language/sequence.ts';
import { Vision } from './vision/vision.ts';

/** How far opening has come: `part` is being opened, `done` of `total` are. */
export interface OpeningProgress {
  readonly kind: 'opening';
  readonly part: string;
  readonly done: number;
  readonly total: number;
}

export interface OpenModelOptions {
  readonly provider?: ProviderPreference;
  readonly threads?: number;
  readonly onProgress?: (progress: OpeningProgress) => void;
  /** Draws in a process of its own, for a model whose drawing part is large; without it all is done here. */
  readonly drawApart?: Draw;
}

interface Parts {
  readonly language: LanguageModel;
  readonly tokenizer: LanguageTokenizer;
  readonly vision: Vision;
  /** Null where the model cannot draw, or draws apart. */
  readonly drawer: Drawer | null;
}

/** A TextBind model that is open: it reads conversations, writes replies and draws. Release it when done. */
export class TextBindModel {
  readonly folder: ModelFolder;
  readonly report: OpenModelReport;
  readonly #parts: Parts;
  readonly #draw: Draw | null;
  /** The conversation read last: the next turn of the same one goes on from it. */
  #sequence: Sequence;

  private constructor(
    folder: ModelFolder,
    parts: Parts,
    draw: Draw | null,
    report: OpenModelReport,
  ) {
    this.folder = folder;
    this.#parts = parts;
    this.#draw = draw;
    this.report = report;
    this.#sequence = new Sequence(parts.language);
  }

  /**
   * Opens a model folder with all its parts.
   * @throws StudioError naming the file, and the field or tensor, that is missing or does not fit
   */
  static async open(folder: string, options: OpenModelOptions = {}): Promise<TextBindModel> {
    const startedAt = performance.now();
    const model = readModelFolder(folder);
    try {
      const choice = await chooseProvider(wantedProviders(options.provider ?? 'auto'));
      const mode = await planModel(model, choice.provider, options.drawApart !== undefined);
      const parts = await openParts(model, choice, mode, options);
      const draw = mode === 'apart' ? options.drawApart : parts.drawer?.draw;
      return new TextBindModel(model, parts, draw ?? null, {
        name: model.manifest.name,
        folder,
        canDraw: model.imageDecoder !== null,
        ...(await drawingOf(model, parts.drawer)),
        maxSequenceLength: maxPositions(model, parts.language),
        providers: {
          provider: choice.provider,
          fallbacks: choice.rejected.map(({ provider, reason }) => ({ provider, reason })),
        },
        seconds: (performance.now() - startedAt) / 1000,
      });
    } catch (error) {
      throw toStudioError(error);
    }
  }

  get language(): LanguageModel {
    return this.#parts.language;
  }

  get tokenizer(): LanguageTokenizer {
    return this.#parts.tokenizer;
  }

  get vision(): Vision {
    return this.#parts.vision;
  }

  get painter(): Painter | null {
    return this.#parts.drawer?.painter ?? null;
  }

  /** Sessions that are open, for the memory report. */
  get sessionCount(): number {
    const { language, drawer } = this.#parts;
    // Vision transformer, Q-Former; the language model's own.
    return 2 + language.sessionCount + (drawer?.sessionCount ?? 0);
  }

  /** Writes the next assistant turn of a conversation. */
  async reply(
    request: WorkerRequestBody<'chat.reply'>,
    emit: (event: WorkerReplyEvent) => void,
    signal: AbortSignal,
  ): Promise<WorkerReplyBody<'chat.reply'>> {
    const { language, tokenizer, vision } = this.#parts;
    const start = startOf(request);
    try {
      return await replyTo(request, {
        language,
        tokenizer,
        vision,
        sequence: this.#sequence,
        maxPositions: this.report.maxSequenceLength,
        queryTokens: this.folder.manifest.qformerConfig.numQueryTokens,
        maxPictures: this.folder.manifest.maxPicturesPerReply,
        draw: (caption, onProgress, abort) =>
          this.draw({ caption, drawing: request.drawing, ...start }, onProgress, abort),
        emit,
        signal,
      });
    } catch (error) {
      // A run that failed may have left the cache and its names apart.
      this.#sequence = new Sequence(language);
      throw toStudioError(error);
    }
  }

  /** Shortens a message until it alone leaves room for a reply of `maxNewTokens`. */
  shorten({
    parts,
    ...request
  }: WorkerRequestBody<'prompt.shorten'>): WorkerReplyBody<'prompt.shorten'> {
    return { parts: shortenMessage(this.tokenizer, parts, this.#promptOptions(request)) };
  }

  /** How many tokens a message behind some turns would take, and from which turn on they would be read. */
  measure({
    turns,
    message,
    ...request
  }: WorkerRequestBody<'prompt.measure'>): WorkerReplyBody<'prompt.measure'> {
    const options = this.#promptOptions(request);
    const measured = measurePrompt(this.tokenizer, turns, message, options);
    return {
      tokens: measured.positions,
      messageTokens: measured.messagePositions,
      room: options.maxPositions,
      firstTurn: measured.firstTurn,
    };
  }

  #promptOptions({
    maxNewTokens,
    system,
  }: Pick<WorkerRequestBody<'prompt.measure'>, 'maxNewTokens' | 'system'>): PromptOptions {
    return {
      queryTokens: this.folder.manifest.qformerConfig.numQueryTokens,
      maxPositions: promptRoom(this.report.maxSequenceLength, maxNewTokens),
      ...(system === undefined ? {} : { system }),
    };
  }

  /** Draws one caption; in the model's own size where none is given. */
  draw: Draw = async (request, onProgress, signal) => {
    if (!request.drawing.enabled) throw new StudioError('unsupported', 'Drawing is switched off.');
    if (this.#draw !== null) return this.#draw(request, onProgress, signal);
    throw new StudioError('unsupported', `${this.report.name} has no image decoder.`);
  };

  async release(): Promise<void> {
    const { language, vision, drawer } = this.#parts;
    await language.release();
    await vision.release();
    await drawer?.release();
  }
}

/** What a reply's drawings start from: the last picture that the conversation has, where that is wished. */
function startOf({
  turns,
  drawing,
}: WorkerRequestBody<'chat.reply'>): Pick<WorkerRequestBody<'draw'>, 'from'> {
  const { startStrength: strength } = drawing;
  const last = turns.flatMap(({ parts }) => parts).findLast(({ kind }) => kind === 'picture');
  if (strength === undefined || last?.kind !== 'picture') return {};
  return { from: { path: last.path, strength } };
}

/** Providers to try for a preference, best first; undefined: all. */
export function wantedProviders(preference: ProviderPreference): readonly Provider[] | undefined {
  return preference === 'auto' ? undefined : [preference];
}

async function drawingOf(
  { imageDecoder }: ModelFolder,
  drawer: Drawer | null,
): Promise<Pick<OpenModelReport, 'drawing'>> {
  if (imageDecoder === null) return {};
  const config = drawer?.painter.config ?? (await readDiffusion(imageDecoder.base));
  const { defaultSize: side, scale: step } = config;
  return { drawing: { side, step, guidance: imageDecoder.guidance, apart: drawer === null } };
}

function maxPositions(model: ModelFolder, language: LanguageModel): number {
  return Math.min(model.manifest.maxSequenceLength, language.maxPositions);
}

async function openParts(
  model: ModelFolder,
  choice: ProviderChoice,
  mode: DrawingMode,
  options: OpenModelOptions,
): Promise<Parts> {
  const { onProgress, threads } = options;
  const placement = { provider: choice.provider, ...(threads === undefined ? {} : { threads }) };
  const total = 2 + (mode === 'apart' ? 0 : drawingPartCount(model));
  let done = 0;
  const begin = async (part: string): Promise<void> => {
    onProgress?.({ kind: 'opening', part, done, total });
    done += 1;
    await nextTurnOfLoop();
  };
  const opened: { release(): Promise<void> }[] = [];
  try {
    await begin('language model');
    const tokenizer = await openLanguageTokenizer(model.languageModel);
    const language = await openLanguage(model, choice.provider, threads);
    opened.push(language);
    checkVocabulary(model.languageModel, tokenizer, language.config);
    await begin('vision');
    const vision = await Vision.open(model, language.config.hiddenSize, placement);
    opened.push(vision);
    const drawer =
      mode === 'apart'
        ? null
        : await Drawer.open(model, placement, { sparing: mode === 'sparing', onPart: begin });
    onProgress?.({ kind: 'opening', part: 'ready', done: total, total });
    return { language, tokenizer, vision, drawer };
  } catch (error) {
    for (const part of opened) await part.release();
    throw error;
  }
}

/** How many parts opening a model's drawing part tells of. */
export function drawingPartCount({ imageDecoder }: Pick<ModelFolder, 'imageDecoder'>): number {
  if (imageDecoder === null) return 0;
  return imageDecoder.refiner === null ? 3 : 5;
}

function openLanguage(
  model: ModelFolder,
  provider: Provider,
  threads: number | undefined,
): Promise<LanguageModel> {
  return LanguageModel.open(model.languageModel, {
    providers: [provider],
    maxPositions: model.manifest.maxSequenceLength,
    ...(threads === undefined ? {} : { threads }),
    ...(model.checkpoint === null
      ? {}
      : { checkpoint: overlaid(model.languageModel, model.checkpoint) }),
  });
}
