import { existsSync } from 'node:fs';
import path from 'node:path';
import type { Clock } from '../base/clock.ts';
import type { Logger } from '../base/log.ts';
import { estimateAll, type FitBook } from '../library/fit/fit-book.ts';
import { examine } from '../library/doctor/doctor.ts';
import type { ModelsFolder } from '../library/models.ts';
import type { AppReplyBody } from '../shared/contracts/app-ipc.ts';
import type { DoctorReport, EngineFacts } from '../shared/domain/doctor.ts';
import type { EngineStatus } from '../shared/domain/engine-status.ts';
import type { Settings } from '../shared/domain/settings.ts';
import { isStudioError } from '../shared/errors.ts';
import type { Spawn } from './processes/child.ts';
import { askOnce } from './processes/one-request.ts';
import { readTrainerFacts } from './training/trainer-facts.ts';

export interface DoctorServiceOptions {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  readonly info: AppReplyBody<'app.info'>;
  readonly book: FitBook;
  readonly modelsFolders: readonly ModelsFolder[];
  /** Places that do not answer; left out where nobody can say. */
  readonly away?: () => Promise<readonly string[]>;
  /** Of the trainer; null where none was set up. */
  readonly python: () => Promise<string | null>;
  readonly settings: () => Settings;
  readonly engine: () => EngineStatus;
  readonly chosenModel: () => string;
}

/** Looks at the machine when a person asks; one look at a time. */
export class DoctorService {
  readonly #options: DoctorServiceOptions;
  #looking: Promise<DoctorReport> | null = null;

  constructor(options: DoctorServiceOptions) {
    this.#options = options;
  }

  examine(): Promise<DoctorReport> {
    this.#looking ??= this.#examine().finally(() => (this.#looking = null));
    return this.#looking;
  }

  #examine(): Promise<DoctorReport> {
    const { info, modelsFolders, clock, settings, engine, chosenModel } = this.#options;
    const { state, reason } = engine();
    return examine({
      engineFacts: () => this.#engineFacts(),
      trainer: async () => readTrainerFacts(await this.#options.python()),
      folders: [
        { what: 'conversations and models', folder: info.dataFolder },
        ...modelsFolders
          .filter(({ folder, embedded }) => embedded && existsSync(folder))
          .map(({ folder }) => ({ what: 'the app', folder: path.resolve(folder) })),
      ],
      fits: ({ models, choice }) => {
        const { drawing } = settings();
        const provider = engine().model?.providers.provider ?? choice.provider;
        return estimateAll(this.#options.book, models, provider, drawing.steps);
      },
      logFolder: info.logFolder,
      versions: [
        { name: 'TextBind Studio', version: info.version, fault: null },
        { name: 'Electron', version: info.electron, fault: null },
        { name: 'node', version: process.versions.node, fault: null },
      ],
      now: clock.now(),
      preference: settings().provider,
      engineHalted: state === 'halted' ? (reason ?? 'it was stopped.') : null,
      chosenModel: chosenModel(),
    });
  }

  /** What a driver does to the process that tries it is a line of the report too. */
  async #engineFacts(): Promise<EngineFacts> {
    const folders = [...this.#options.modelsFolders];
    const away = [...((await this.#options.away?.()) ?? [])];
    try {
      return await askOnce(this.#options, 'inspect', { folders, away });
    } catch (error) {
      if (!isStudioError(error)) throw error;
      const fault = `could not be tried: ${error.message}`;
      return {
        libraries: [{ name: 'The engine', version: null, fault }],
        providers: [],
        choice: { provider: 'cpu', explanation: fault },
        models: [],
      };
    }
  }
}
