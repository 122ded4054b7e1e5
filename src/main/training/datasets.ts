import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import type { Clock } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { validatedEventSchema } from '../../shared/contracts/trainer-protocol.ts';
import { StudioError, toWireError } from '../../shared/errors.ts';
import {
  dataSampleSchema,
  datasetSchema,
  dataStatisticsSchema,
  type DataSample,
  type Dataset,
  type Stage,
} from '../../shared/domain/training.ts';
import { askTrainer, type TrainerQuestion } from './trainer-answer.ts';
import { rowsWithout, splitRows, writeRows } from './split.ts';
import type { TrainerRuntime } from './trainer-process.ts';

/** Faults that are kept and shown; all are counted. */
const faultsKept = 1000;

const countedSchema = z.object({ event: z.literal('looked'), statistics: dataStatisticsSchema });
const sampledSchema = z.object({
  event: z.literal('looked'),
  samples: z.array(dataSampleSchema),
});

export interface DatasetsOptions {
  /** Holds a folder a data set. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Logger;
  /** @throws StudioError `unsupported` where no environment is set up */
  readonly runtime: () => TrainerRuntime;
  readonly onChange: (dataset: Dataset, removed: boolean) => void;
}

/** The data sets of this data folder. The data itself stays where it lies. */
export class Datasets {
  readonly #options: DatasetsOptions;
  readonly #datasets = new Map<string, Dataset>();
  readonly #checks = new Map<string, { stop(): void }>();

  constructor(options: DatasetsOptions) {
    this.#options = options;
    for (const id of existsSync(options.folder) ? readdirSync(options.folder) : []) this.#read(id);
  }

  #read(id: string): void {
    try {
      const stored = readJsonFile(this.#file(id), datasetSchema, 'bad-input');
      this.#datasets.set(stored.id, { ...stored, working: null });
    } catch (error) {
      const reason = toWireError(error).message;
      this.#options.log.warn('a data set cannot be read', { id, reason });
    }
  }

  /** Newest first. */
  list(): Dataset[] {
    return [...this.#datasets.values()].sort((a, b) => b.createdAt - a.createdAt);
  }

  /** @throws StudioError `not-found` */
  find(id: string): Dataset {
    const found = this.#datasets.get(id);
    if (found === undefined) throw new StudioError('not-found', `There is no data set ${id}.`);
    return found;
  }

  /**
   * Adds a file or a folder where it lies, and looks through it where there is a Python to do it with.
   * @throws StudioError `bad-input` saying what would be taken, where it is nothing that can be trained on
   */
  add(place: string, images: string | null): Dataset {
    const { stage, file } = recognise(place);
    const dataset: Dataset = {
      ...{ id: randomUUID(), name: nameOf(place), stage, path: file, images },
      createdAt: this.#options.clock.now(),
      ...{ isOwn: false, skipsBadRows: false, checked: null, working: null, fault: null },
    };
    this.#keep(dataset);
    void this.check(dataset.id);
    return this.find(dataset.id);
  }

  /**
   * Adds a data set that the app writes itself, in a folder of its own.
   * @param write puts the data into a folder, and says which file is to be read; what it throws leaves nothing behind
   */
  async addOwn(
    name: string,
    stage: Stage,
    write: (folder: string) => Promise<string>,
    images: string | null = null,
  ): Promise<Dataset> {
    const id = randomUUID();
    const folder = path.join(this.#folder(id), 'data');
    mkdirSync(folder, { recursive: true });
    try {
      const file = await write(folder);
      this.#keep({
        ...{ id, name, stage, path: file, images, createdAt: this.#options.clock.now() },
        ...{ isOwn: true, skipsBadRows: false, checked: null, working: null, fault: null },
      });
    } catch (error) {
      rmSync(this.#folder(id), { recursive: true, force: true });
      throw error;
    }
    void this.check(id);
    return this.find(id);
  }

  /**
   * Makes two data sets of one: what is trained on, and what is held back. The original stays.
   * @throws StudioError `bad-input` where it is no list of rows, or too short
   */
  async split(id: string, share: number, withoutFaults: boolean): Promise<Dataset[]> {
    const { name, stage, path: file, images, checked } = this.find(id);
    const faults = withoutFaults ? (checked?.faults ?? []) : [];
    if (withoutFaults && (checked?.faultCount ?? 0) > faults.length) {
      const message = `"${name}" has too many faults to leave them out one by one: mend it first.`;
      throw new StudioError('bad-input', message);
    }
    const without = new Set(faults.map(({ row }) => row));
    const { train, heldBack } = splitRows(file, { share, without });
    const make = (called: string, rows: readonly unknown[]): Promise<Dataset> =>
      this.addOwn(called, stage, (folder) => writeRows(folder, rows), images ?? path.dirname(file));
    return [await make(`${name}, to train on`, train), await make(`${name}, held back`, heldBack)];
  }

  /**
   * Makes a data set of all rows of one but some. The original stays.
   * @throws StudioError `bad-input` where it is no list of rows, or none would be left
   */
  exclude(id: string, name: string, rows: readonly number[]): Promise<Dataset> {
    const { stage, path: file, images } = this.find(id);
    const kept = rowsWithout(file, new Set(rows));
    const write = (folder: string): Promise<string> => writeRows(folder, kept);
    return this.addOwn(name, stage, write, images ?? path.dirname(file));
  }

  /** Looks through a data set and keeps what was found. Never throws: what went wrong is its `fault`. */
  async check(id: string): Promise<Dataset> {
    if (this.#checks.has(id)) return this.find(id);
    const { stage, path: place, images } = this.find(id);
    const args = [
      '--stage',
      String(stage),
      ...(images === null ? [] : ['--images', images]),
      place,
    ];
    try {
      const runtime = this.#options.runtime();
      this.#change(id, { working: 'Looking through the rows', fault: null });
      const rows = await this.#ask(id, askTrainer(runtime, 'validate', args, validatedEventSchema));
      this.#change(id, { working: 'Counting' });
      const counted = await this.#ask(id, askTrainer(runtime, 'look', args, countedSchema));
      const bad = new Set(rows.faults.map(({ file, row }) => `${row} ${file}`));
      this.#change(id, {
        checked: {
          at: this.#options.clock.now(),
          rows: rows.rows,
          faults: rows.faults.slice(0, faultsKept),
          faultCount: rows.faults.length,
          badRows: bad.size,
          statistics: counted.statistics,
        },
      });
    } catch (error) {
      if (this.#datasets.has(id)) this.#change(id, { fault: toWireError(error).message });
    }
    if (this.#datasets.has(id)) this.#change(id, { working: null });
    return this.find(id);
  }

  async #ask<Answer>(id: string, question: TrainerQuestion<Answer>): Promise<Answer> {
    this.#checks.set(id, question);
    try {
      return await question.answer;
    } finally {
      this.#checks.delete(id);
    }
  }

  change(
    id: string,
    change: {
      readonly name?: string | undefined;
      readonly skipsBadRows?: boolean | undefined;
      readonly stage?: Stage | undefined;
    },
  ): Dataset {
    const before = this.find(id);
    const { name = before.name, skipsBadRows = before.skipsBadRows, stage = before.stage } = change;
    const isOther = stage !== before.stage;
    const changed = { name, skipsBadRows, stage, ...(isOther ? { checked: null } : {}) };
    this.#change(id, changed);
    // The same file holds other rows for the other stage.
    if (isOther) void this.check(id);
    return this.find(id);
  }

  /** Takes it out of the list; only what the app made is deleted. */
  remove(id: string): void {
    const dataset = this.find(id);
    this.#checks.get(id)?.stop();
    this.#datasets.delete(id);
    rmSync(this.#folder(id), { recursive: true, force: true });
    this.#options.onChange(dataset, true);
  }

  /** Rows as a model is given them in training. */
  async samples(
    id: string,
    modelFolder: string,
    from: number,
    count: number,
  ): Promise<DataSample[]> {
    const { stage, path: place, images } = this.find(id);
    const args = [
      ...['--stage', String(stage), '--model', modelFolder],
      ...['--from', String(from), '--count', String(count)],
      ...(images === null ? [] : ['--images', images]),
      place,
    ];
    return (await askTrainer(this.#options.runtime(), 'look', args, sampledSchema).answer).samples;
  }

  /** Ends what is being looked through. */
  close(): void {
    for (const check of this.#checks.values()) check.stop();
  }

  #change(id: string, change: Partial<Dataset>): Dataset {
    const changed = { ...this.find(id), ...change };
    this.#keep(changed);
    return changed;
  }

  #keep(dataset: Dataset): void {
    mkdirSync(this.#folder(dataset.id), { recursive: true });
    writeJsonFileSync(this.#file(dataset.id), { ...dataset, working: null });
    this.#datasets.set(dataset.id, dataset);
    this.#options.onChange(dataset, false);
  }

  #folder(id: string): string {
    return path.join(this.#options.folder, id);
  }

  #file(id: string): string {
    return path.join(this.#folder(id), 'dataset.json');
  }
}

/** What a folder of pictures with captions has in it. */
const captionFile = /\.(tar|parquet|csv|tsv|jpe?g|png|webp)$/i;

/** What a place holds, by its names; the trainer looks into it. Tars of pictures with captions are for stage 1, conversations in JSON for stage 2. */
function recognise(place: string): { readonly stage: Stage; readonly file: string } {
  if (!path.isAbsolute(place)) {
    throw new StudioError('bad-input', `${place}: give the whole path, from the root.`);
  }
  if (/\{\d+\.\.\d+\}/.test(place) && place.endsWith('.tar')) return { stage: 1, file: place };
  const kind = statSync(place, { throwIfNoEntry: false });
  if (kind === undefined) throw new StudioError('not-found', `${place}: does not exist.`);
  if (kind.isFile() && /\.(tar|csv|tsv|parquet)$/i.test(place)) return { stage: 1, file: place };
  if (kind.isFile() && /\.jsonl?$/i.test(place)) return { stage: 2, file: place };
  if (kind.isDirectory()) {
    const names = readdirSync(place);
    const conversations = ['train.json', 'train.jsonl'].find((name) => names.includes(name));
    if (conversations !== undefined) return { stage: 2, file: path.join(place, conversations) };
    if (names.some((name) => captionFile.test(name))) return { stage: 1, file: place };
  }
  throw new StudioError(
    'bad-input',
    `${place}: is nothing that can be trained on. Stage 1 takes pictures with captions (WebDataset tars, a folder of pictures with their texts or a table beside them, csv, tsv, parquet); stage 2 conversations (JSON or JSON lines, or a folder with train.json and its pictures).`,
  );
}

function nameOf(place: string): string {
  const { base, name, dir } = path.parse(place);
  return base === 'train.json' || base === 'train.jsonl' ? path.basename(dir) : name;
}
