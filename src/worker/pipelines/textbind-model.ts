import type {
  DrawingProgress,
  DrawnPicture,
  WorkerReplyEvent,
} from '../../shared/contracts/reply-event.ts';
import type { WorkerReplyBody, WorkerRequestBody } from '../../shared/contracts/worker-protocol.ts';
import type { OpenModelReport } from '../../shared/domain/engine-status.ts';
import type {
  DrawingSettings,
  DrawingSize,
  ProviderPreference,
} from '../../shared/domain/settings.ts';
import { StudioError } from '../../shared/errors.ts';
import { shortenMessage } from '../inputs/shorten.ts';
import { openLanguageTokenizer, type LanguageTokenizer } from '../inputs/tokenizer.ts';
import { chooseProvider, type Provider, type ProviderChoice } from '../runtime/index.ts';
import { freshSeed } from '../sampling/random.ts';
import { promptRoom, replyTo } from './chat/reply.ts';
import { Painter } from './drawing/painter.ts';
import { LanguageModel } from './language/language-model.ts';
import { checkVocabulary, overlaid } from './language/language-weights.ts';
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
}

interface Parts {
  readonly language: LanguageModel;
  readonly tokenizer: LanguageTokenizer;
  readonly vision: Vision;
  readonly painter: Painter | null;
}

/** A TextBind model that is open: it reads conversations, writes replies and draws. Release it when done. */
export class TextBindModel {
  readonly folder: ModelFolder;
  readonly report: OpenModelReport;
  readonly #parts: Parts;
  /** The conversation read last: the next turn of the same one goes on from it. */
  #sequence: Sequence;

  private constructor(folder: ModelFolder, parts: Parts, report: OpenModelReport) {
    this.folder = folder;
    this.#parts = parts;
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
      const parts = await openParts(model, choice, options);
      return new TextBindModel(model, parts, {
        name: model.manifest.name,
        folder,
        canDraw: parts.painter !== null,
        ...drawingOf(model, parts.painter),
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
    return this.#parts.painter;
  }

  /** Sessions that are open, for the memory report. */
  get sessionCount(): number {
    const drawing = this.#parts.painter === null ? 0 : this.#parts.painter.sessionCount;
    // Vision transformer, Q-Former, decoder, embedding.
    return 4 + drawing;
  }

  /** Writes the next assistant turn of a conversation. */
  async reply(
    request: WorkerRequestBody<'chat.reply'>,
    emit: (event: WorkerReplyEvent) => void,
    signal: AbortSignal,
  ): Promise<WorkerReplyBody<'chat.reply'>> {
    const { language, tokenizer, vision } = this.#parts;
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
          this.draw(caption, request.drawing, onProgress, abort),
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
    maxNewTokens,
  }: WorkerRequestBody<'prompt.shorten'>): WorkerReplyBody<'prompt.shorten'> {
    const maxPositions = promptRoom(this.report.maxSequenceLength, maxNewTokens);
    const { numQueryTokens: queryTokens } = this.folder.manifest.qformerConfig;
    return { parts: shortenMessage(this.tokenizer, parts, { queryTokens, maxPositions }) };
  }

  /** Draws one caption; in the model's own size where none is given. */
  async draw(
    caption: string,
    drawing: DrawingSettings,
    onProgress: (progress: DrawingProgress) => void,
    signal: AbortSignal,
    size?: DrawingSize,
  ): Promise<DrawnPicture> {
    const { painter } = this.#parts;
    const { imageDecoder } = this.folder;
    if (!drawing.enabled) throw new StudioError('unsupported', 'Drawing is switched off.');
    if (painter === null || imageDecoder === null) {
      throw new StudioError('unsupported', `${this.report.name} has no image decoder.`);
    }
    const startedAt = performance.now();
    const { steps, negative } = drawing;
    const guidance = drawing.guidance ?? imageDecoder.guidance;
    const seed = drawing.seed ?? freshSeed();
    try {
      const request = { prompt: caption, negative, seed, steps, guidance, onProgress, signal };
      const { png, width, height } = await painter.draw({ ...request, ...size });
      return {
        kind: 'picture',
        png,
        width,
        height,
        caption,
        recipe: {
          ...{ seed, steps, guidance, model: this.report.name },
          ...(negative === '' ? {} : { negative }),
        },
        seconds: (performance.now() - startedAt) / 1000,
      };
    } catch (error) {
      throw toStudioError(error);
    }
  }

  async release(): Promise<void> {
    const { language, vision, painter } = this.#parts;
    await language.release();
    await vision.release();
    await painter?.release();
  }
}

/** Providers to try for a preference, best first; undefined: all. */
export function wantedProviders(preference: ProviderPreference): readonly Provider[] | undefined {
  return preference === 'auto' ? undefined : [preference];
}

function drawingOf(
  { imageDecoder }: ModelFolder,
  painter: Painter | null,
): Pick<OpenModelReport, 'drawing'> {
  if (imageDecoder === null || painter === null) return {};
  const { defaultSize: side, scale: step } = painter.config;
  return { drawing: { side, step, guidance: imageDecoder.guidance } };
}

function maxPositions(model: ModelFolder, language: LanguageModel): number {
  return Math.min(model.manifest.maxSequenceLength, language.maxPositions);
}

async function openParts(
  model: ModelFolder,
  choice: ProviderChoice,
  options: OpenModelOptions,
): Promise<Parts> {
  const { onProgress, threads } = options;
  const placement = { provider: choice.provider, ...(threads === undefined ? {} : { threads }) };
  const total = 2 + (model.imageDecoder === null ? 0 : model.imageDecoder.refiner === null ? 3 : 5);
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
    const painter =
      model.imageDecoder && (await Painter.open(model.imageDecoder, placement, begin));
    onProgress?.({ kind: 'opening', part: 'ready', done: total, total });
    return { language, tokenizer, vision, painter };
  } catch (error) {
    for (const part of opened) await part.release();
    throw error;
  }
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
