/** Everything about training behind the window: the environment, data, runs, and what comes of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { summaryOf } from '../../library/models.ts';
import { toWireError } from '../../shared/errors.ts';
import type { ModelSummary } from '../../shared/domain/model-manifest.ts';
import {
  preflightSchema,
  type PackedRun,
  type Preflight,
  type RunPlan,
  type RunSummary,
} from '../../shared/domain/training.ts';
import type { Emit } from '../emit.ts';
import { Datasets } from './datasets.ts';
import { TrainerEnvironment } from './environment.ts';
import { packRun, takeBack, type ElsewhereOptions, type PackOptions } from './elsewhere.ts';
import { publishRun } from './publish-run.ts';
import { runFileOf, type PlannedData } from './run-file.ts';
import { RunFolder } from './run-folder.ts';
import { Runs } from './runs.ts';
import { askTrainer } from './trainer-answer.ts';
import { keepTrainerCode } from './trainer-code.ts';
import type { TrainerRuntime } from './trainer-process.ts';

export interface TrainingPlaces {
  /** Everything that training keeps. */
  readonly training: string;
  /** The trainer as it came with the app: its package and requirements.txt. */
  readonly trainer: string;
  readonly ownModels: string;
  /** A small model to verify an environment with. */
  readonly smallModel: string;
}

export interface TrainingOptions {
  readonly places: TrainingPlaces;
  readonly clock: Clock;
  readonly log: Logger;
  readonly stamp: () => number;
  readonly emit: Emit;
  /** Told of each run as it is now, before the window is. */
  readonly onRun?: (run: RunSummary, removed: boolean) => void;
}

const preflightEventSchema = preflightSchema.extend({
  event: z.literal('preflight'),
  time: z.number(),
});
export class Training {
  readonly environment: TrainerEnvironment;
  readonly datasets: Datasets;
  readonly runs: Runs;
  readonly #options: TrainingOptions;
  readonly #tasks = new Set<{ stop(): void }>();

  constructor(options: TrainingOptions) {
    this.#options = options;
    const { places, clock, log, emit, stamp } = options;
    const place = (name: string): string => path.join(places.training, name);
    this.environment = new TrainerEnvironment({
      folder: place('environment'),
      requirements: path.join(places.trainer, 'requirements.txt'),
      code: () => keepTrainerCode(places.trainer, place('code')),
      model: places.smallModel,
      log,
      onChange: (status) => emit('trainer.status', status),
    });
    const runtime = (): TrainerRuntime => this.environment.runtime();
    this.datasets = new Datasets({
      ...{ folder: place('datasets'), clock, log, runtime },
      onChange: (dataset, removed) => emit('datasets.changed', { dataset, removed }),
    });
    this.runs = new Runs({
      ...{ folder: place('runs'), clock, log, stamp, runtime },
      onChange(run, removed) {
        options.onRun?.(run, removed);
        emit('runs.changed', { run, removed });
      },
    });
  }

  #dataOf(plan: RunPlan): PlannedData {
    const { validationId, blend } = plan;
    return {
      blend: blend.map(({ datasetId, weight }) => ({
        dataset: this.datasets.find(datasetId),
        weight,
      })),
      training: this.datasets.find(plan.datasetId),
      validation: validationId === null ? null : this.datasets.find(validationId),
    };
  }

  /** @throws StudioError `bad-input`, `not-found`, `model-invalid` naming what the plan lacks */
  async createRun(plan: RunPlan): Promise<RunSummary> {
    const file = runFileOf(plan, this.#dataOf(plan), this.#features());
    const { restsEngine, settings } = plan;
    return this.runs.create(plan.name, file, { processes: settings.processes, restsEngine });
  }

  /** Finds the runs that are there; those under way are told of. */
  async open(): Promise<void> {
    for (const run of await this.runs.list()) this.#options.onRun?.(run, false);
  }

  /** A few real steps of a plan, in a folder that goes again. */
  async preflight(plan: RunPlan): Promise<Preflight> {
    const file = runFileOf(plan, this.#dataOf(plan), this.#features());
    const folder = new RunFolder(mkdtempSync(path.join(os.tmpdir(), 'textbind-preflight-')));
    try {
      // One process: several would want a launcher of their own, and each does the same.
      folder.writeFile({ ...file, output: '.', sharding: 'none', offload: false });
      const found = await this.#tried(folder).catch((error: unknown) => {
        // The system ends what takes the memory of others: then it is counted what would fit.
        if (toWireError(error).kind !== 'out-of-memory') throw error;
        return this.#tried(folder, ['--steps', '0']);
      });
      const { processes } = plan.settings;
      return { ...found, hours: found.hours === null ? null : found.hours / processes };
    } finally {
      rmSync(folder.folder, { recursive: true, force: true });
    }
  }

  async #tried(folder: RunFolder, more: readonly string[] = []): Promise<Preflight> {
    const args = ['--config', folder.path('file'), ...more];
    const runtime = this.environment.runtime();
    const question = askTrainer(runtime, 'preflight', args, preflightEventSchema);
    this.#tasks.add(question);
    const { event: _event, time: _time, ...found } = await question.answer;
    return found;
  }

  /** Makes a model of a run's checkpoint; null: the newest, or what the run left. */
  async publish(runId: string, step: number | null, name: string): Promise<ModelSummary> {
    const run = await this.runs.find(runId);
    const { training: workFolder, ownModels: models } = this.#options.places;
    const { folder } = await publishRun(run, {
      ...{ step, name, models, workFolder },
      runtime: this.environment.runtime(),
      onTask: (task) => this.#tasks.add(task),
    });
    return summaryOf(folder, false);
  }

  /** Writes a folder with which a run can be done on another machine. */
  async pack(runId: string, options: PackOptions): Promise<PackedRun> {
    return packRun(await this.runs.find(runId), options, this.#elsewhere());
  }

  /** Takes in a run whose folder came back from another machine. */
  async takeBack(folder: string): Promise<RunSummary> {
    await this.runs.open();
    const { places, clock } = this.#options;
    const runs = path.join(places.training, 'runs');
    const nameOf = (id: string): string | null => this.runs.nameOf(id);
    return this.runs.adopt(await takeBack(folder, runs, nameOf, clock.now(), this.#elsewhere()));
  }

  #elsewhere(): ElsewhereOptions {
    return { runtime: this.environment.runtime(), onTask: (task) => this.#tasks.add(task) };
  }

  #features(): string {
    return path.join(this.#options.places.training, 'features');
  }

  /** Ends what we wait for; runs go on by themselves. */
  close(): void {
    this.runs.close();
    this.datasets.close();
    this.environment.cancel();
    for (const task of this.#tasks) task.stop();
  }
}
