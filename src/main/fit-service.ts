import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { estimateAll, type FitBook } from '../library/fit/fit-book.ts';
import { manifestName } from '../library/model-folder.ts';
import type { ModelsFolder } from '../library/models.ts';
import type { WorkerReplyBody, WorkerRequestBody } from '../shared/contracts/worker-protocol.ts';
import type { EngineFacts } from '../shared/domain/doctor.ts';
import type { EngineStatus, OpenModelReport } from '../shared/domain/engine-status.ts';
import type { FitEstimate } from '../shared/domain/fit.ts';
import type { Settings } from '../shared/domain/settings.ts';
import { StudioError } from '../shared/errors.ts';
import type { Spawn } from './processes/child.ts';
import { withDetours, type EngineClient } from './processes/engine-client.ts';
import { askOnce } from './processes/one-request.ts';

export interface FitServiceOptions {
  readonly book: FitBook;
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  readonly modelsFolders: readonly ModelsFolder[];
  /** Places that do not answer; left out where nobody can say. */
  readonly away?: () => Promise<readonly string[]>;
  readonly settings: () => Settings;
  readonly engine: () => EngineStatus;
}

/** A large model on a slow disk takes minutes to open. */
const patienceMs = 30 * 60_000;
/** Fewer tokens say nothing of a speed. */
const leastTokens = 16;

/** What models are expected to do here: measured when a person asks, corrected by what they then do. */
export class FitService {
  readonly #options: FitServiceOptions;
  #measuring = false;
  /** Which opening of which model has drawn: the first picture also pays for what is used for the first time. */
  #drawn = '';
  /** What an inspection gave, as long as what it rests on is the same. */
  #known: { readonly rests: string; readonly facts: Promise<EngineFacts> } | null = null;

  constructor(options: FitServiceOptions) {
    this.#options = options;
  }

  /** What is expected of every model, with pictures as the settings draw them. */
  async list(): Promise<FitEstimate[]> {
    const { book, settings, engine } = this.#options;
    const { models, choice } = await this.#inspect();
    const { steps } = settings().drawing;
    const provider = engine().model?.providers.provider ?? choice.provider;
    return estimateAll(book, models, provider, steps);
  }

  /** The models are others, or have other parts. */
  forget(): void {
    this.#known = null;
  }

  /** Asks a process once for as long as the models are the same: a page that shows them may be opened often. */
  async #inspect(): Promise<EngineFacts> {
    const folders = [...this.#options.modelsFolders];
    const away = [...((await this.#options.away?.()) ?? [])].sort();
    const rests = JSON.stringify([await manifestsIn(folders), away]);
    if (this.#known?.rests === rests) return this.#known.facts;
    const facts = askOnce(this.#options, 'inspect', { folders, away });
    this.#known = { rests, facts };
    facts.catch(() => {
      if (this.#known?.facts === facts) this.#known = null;
    });
    return facts;
  }

  /** @throws StudioError `busy` while another is measured */
  async measure(folder: string): Promise<FitEstimate[]> {
    if (this.#measuring) throw new StudioError('busy', 'A model is being measured already.');
    this.#measuring = true;
    try {
      const { book, clock, settings } = this.#options;
      const body = { folder, provider: settings().provider };
      const asked = { ...this.#options, patienceMs };
      const { provider, measured } = await askOnce(asked, 'calibrate', body);
      this.forget();
      const known = (await this.list()).find((each) => each.folder === folder);
      if (known === undefined) throw new StudioError('not-found', `${folder} is no model here.`);
      book.keep({ folder, provider, at: clock.now(), measured, bytesOnDisk: known.bytesOnDisk });
      return await this.list();
    } finally {
      this.#measuring = false;
    }
  }

  /** The engine, whose work is compared with what was expected of it. */
  watch(engine: EngineClient): EngineClient {
    return withDetours(engine, {
      'chat.reply': async (body, options) => {
        const reply = await engine.request('chat.reply', body, options);
        const { model } = this.#options.engine();
        if (model !== null) this.#replied(model, reply);
        return reply;
      },
      draw: async (body, options) => {
        const drawn = await engine.request('draw', body, options);
        const { model } = this.#options.engine();
        if (model !== null) this.#drew(model, drawn, body);
        return drawn;
      },
    });
  }

  #replied(model: OpenModelReport, { usage }: WorkerReplyBody<'chat.reply'>): void {
    const { replyTokens, decodeSeconds } = usage;
    if (replyTokens < leastTokens || decodeSeconds <= 0) return;
    this.#observe(model, { kind: 'words', happened: (replyTokens - 1) / decodeSeconds });
  }

  #drew(
    model: OpenModelReport,
    { seconds, recipe }: WorkerReplyBody<'draw'>,
    { size }: WorkerRequestBody<'draw'>,
  ): void {
    // What was measured is the model's own size.
    const opening = `${model.folder} ${model.seconds}`;
    const isFirst = this.#drawn !== opening;
    this.#drawn = opening;
    if (isFirst || seconds <= 0 || size !== undefined) return;
    this.#observe(model, { kind: 'picture', happened: seconds, steps: recipe.steps });
  }

  #observe(
    { folder, providers }: OpenModelReport,
    seen: Omit<Parameters<FitBook['observe']>[2], 'at'>,
  ): void {
    const { book, clock, log } = this.#options;
    try {
      book.observe(folder, providers.provider, { ...seen, at: clock.now() });
    } catch (error) {
      // A reply must not fail for a figure that could not be kept.
      log.warn('fit not kept', { reason: error instanceof Error ? error.message : 'unknown' });
    }
  }
}

/** The models' textbind.json files and when they were written. */
async function manifestsIn(folders: readonly ModelsFolder[]): Promise<[string, number][]> {
  const found: [string, number][] = [];
  for (const { folder } of folders) {
    for (const name of await readdir(folder).catch(() => [])) {
      const file = path.join(folder, name, manifestName);
      const written = await stat(file).catch(() => null);
      if (written !== null) found.push([file, written.mtimeMs]);
    }
  }
  return found;
}
