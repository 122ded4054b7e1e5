/** What was measured of models on this machine, in one file; expectations from it, corrected by what then happens. */
import { existsSync, mkdirSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJson } from '../../base/json-file.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import type { EngineFacts, ModelVerdict } from '../../shared/domain/doctor.ts';
import {
  fitRecordSchema,
  type FitEstimate,
  type FitMeasure,
  type FitObservation,
  type FitRecord,
} from '../../shared/domain/fit.ts';
import { wouldFitWords } from './would-fit-words.ts';

type Provider = FitRecord['provider'];

const bookSchema = z.object({ records: z.array(fitRecordSchema) });
/** Observations that are kept of each model. */
const keptObservations = 40;
/** How much the newest observation counts: one slow reply beside a game must not spoil the expectation. */
const newestShare = 0.3;
const correctionLimits = { least: 0.1, most: 10 } as const;

export class FitBook {
  readonly #file: string;
  #records: readonly FitRecord[];

  /** @param file is made with the first record; one that cannot be read is begun anew */
  constructor(file: string) {
    this.#file = file;
    this.#records = readRecords(file);
  }

  /** What was measured of a model, if it is still the same. */
  find(folder: string, provider: Provider, bytesOnDisk: number): FitRecord | null {
    const record = this.#of(folder, provider);
    return record?.bytesOnDisk === bytesOnDisk ? record : null;
  }

  keep(record: Pick<FitRecord, 'folder' | 'provider' | 'bytesOnDisk' | 'at' | 'measured'>): void {
    const fresh = { ...record, corrections: { words: 1, picture: 1 }, observations: [] };
    const others = this.#records.filter(
      (each) => each !== this.#of(record.folder, record.provider),
    );
    this.#write([...others, fresh]);
  }

  /** Corrects what is expected of a model by what happened; nothing where it was never measured. */
  observe(
    folder: string,
    provider: Provider,
    seen: Pick<FitObservation, 'at' | 'kind' | 'happened'> & { readonly steps?: number },
  ): void {
    const record = this.#of(folder, provider);
    const expected = record === undefined ? null : expectedOf(record, seen.kind, seen.steps ?? 1);
    if (record === undefined || expected === null) return;
    const { at, kind, happened } = seen;
    const observation: FitObservation = { at, kind, happened, expected };
    const changed: FitRecord = {
      ...record,
      corrections: {
        ...record.corrections,
        [kind]: corrected(correctionOf(record, kind), observation, shareOf(record, kind)),
      },
      observations: [...record.observations, observation].slice(-keptObservations),
    };
    this.#write(this.#records.map((each) => (each === record ? changed : each)));
  }

  /** Every record on a provider, the newest first. */
  on(provider: Provider): readonly FitRecord[] {
    return this.#records.filter((each) => each.provider === provider).sort((a, b) => b.at - a.at);
  }

  #of(folder: string, provider: Provider): FitRecord | undefined {
    return this.#records.find((each) => each.folder === folder && each.provider === provider);
  }

  #write(records: readonly FitRecord[]): void {
    this.#records = records;
    mkdirSync(path.dirname(this.#file), { recursive: true });
    writeJsonFileSync(this.#file, { records });
  }
}

function readRecords(file: string): readonly FitRecord[] {
  if (!existsSync(file)) return [];
  try {
    return bookSchema.parse(readJson(file, 'storage')).records;
  } catch {
    return [];
  }
}

type Expecting = Pick<FitRecord, 'measured' | 'corrections' | 'observations'>;

/** Tokens a second, or seconds a picture of so many steps; null where it draws nothing. */
export function expectedOf(
  record: Expecting,
  kind: FitObservation['kind'],
  steps: number,
): number | null {
  const correction = correctionOf(record, kind);
  if (kind === 'words') return record.measured.tokensPerSecond * correction;
  const seconds = secondsOf(record.measured, steps);
  return seconds === null || seconds <= 0 ? null : seconds * correction;
}

function countOf({ observations }: Pick<FitRecord, 'observations'>, kind: FitObservation['kind']) {
  return observations.filter((each) => each.kind === kind).length;
}

/** A measurement while others were busy says little: the first that then happens counts for more. */
function shareOf(record: Expecting, kind: FitObservation['kind']): number {
  if (record.measured.othersShare <= busyShare) return newestShare;
  return Math.max(newestShare, 1 / (countOf(record, kind) + 1.5));
}

/**
 * What happened to one kind holds for the other until that was seen itself: a machine that writes more slowly than when
 * it was measured draws more slowly too. One is a speed, the other a time.
 */
function correctionOf(record: Expecting, kind: FitObservation['kind']): number {
  const { corrections } = record;
  if (countOf(record, kind) > 0) return corrections[kind];
  const other = kind === 'words' ? 'picture' : 'words';
  return countOf(record, other) > 0 ? 1 / corrections[other] : corrections[kind];
}

function secondsOf({ drawing }: FitMeasure, steps: number): number | null {
  return drawing === null ? null : drawing.secondsBeside + steps * drawing.secondsPerStep;
}

function corrected(before: number, { expected, happened }: FitObservation, share: number): number {
  const after = before * (1 + share * (happened / expected - 1));
  return Math.min(Math.max(after, correctionLimits.least), correctionLimits.most);
}

/** With more of the processors' time in others' hands a measurement says little. */
export const busyShare = 0.2;

const precisions = {
  cuda: 'half precision',
  webgpu: 'single precision',
  cpu: 'single precision; quantised weights stay so',
} as const;

/** What is expected of every model. @param steps of a picture */
export function estimateAll(
  book: FitBook,
  models: EngineFacts['models'],
  provider: Provider,
  steps: number,
): FitEstimate[] {
  const fitting = models.filter(({ fits }) => fits).map(({ name }) => name);
  return models.map((verdict) => estimate(book, verdict, provider, steps, fitting));
}

/** What is expected of a model: by its own measurement, else by that of the model measured last. */
export function estimate(
  book: FitBook,
  verdict: ModelVerdict,
  provider: Provider,
  steps: number,
  /** Names of models that fit. */
  fitting: readonly string[] = [],
): FitEstimate {
  const { folder, bytesOnDisk, memoryBytes, fits } = verdict;
  const own = book.find(folder, provider, bytesOnDisk);
  const other = own === null ? scaled(book, verdict, provider) : null;
  const record = own ?? other;
  return {
    ...{ folder, bytesOnDisk, provider, steps, fits, precision: precisions[provider] },
    basis: own !== null ? 'measured' : other !== null ? 'scaled' : 'none',
    tokensPerSecond: record && expectedOf(record, 'words', steps),
    secondsPerPicture: record && expectedOf(record, 'picture', steps),
    wasBusy: (own?.measured.othersShare ?? 0) > busyShare,
    memory: memoryOf(own, memoryBytes),
    wouldFit: fits ? null : wouldFitWords(verdict, fitting),
    error: own === null ? null : meanError(own.observations),
  };
}

/**
 * A model that was never measured, from one that was: writing a token reads every weight once, so the time for it goes
 * with the weights' bytes. What a picture takes cannot be told that way, and is left open.
 */
function scaled(
  book: FitBook,
  { memoryBytes }: ModelVerdict,
  provider: Provider,
): Expecting | null {
  const known = book.on(provider)[0];
  if (known === undefined || memoryBytes === undefined) return null;
  const ratio = known.measured.talkingBytes / memoryBytes.talking;
  const tokensPerSecond = known.measured.tokensPerSecond * ratio;
  return {
    measured: { ...known.measured, tokensPerSecond, drawing: null },
    corrections: { ...known.corrections, picture: 1 },
    observations: known.observations,
  };
}

function memoryOf(
  own: FitRecord | null,
  planned: ModelVerdict['memoryBytes'],
): FitEstimate['memory'] {
  const { talkingBytes, drawingBytes } = own?.measured ?? {};
  const talking = talkingBytes ?? planned?.talking;
  const drawing = drawingBytes ?? planned?.drawingSparing;
  return [
    ...(talking === undefined ? [] : [{ part: 'words' as const, bytes: talking }]),
    ...(drawing === undefined ? [] : [{ part: 'pictures' as const, bytes: drawing }]),
  ];
}

function meanError(observations: readonly FitObservation[]): number | null {
  const last = observations.slice(-10);
  if (last.length === 0) return null;
  const errors = last.map(({ expected, happened }) => Math.abs(expected / happened - 1));
  return errors.reduce((sum, each) => sum + each, 0) / last.length;
}
