import path from 'node:path';
import { systemClock } from '../base/clock.ts';
import { silentLogger } from '../base/log.ts';
import { estimateAll, FitBook } from '../library/fit/fit-book.ts';
import { bytesOnDisk } from '../library/models.ts';
import { readModelFolder } from '../library/model-folder.ts';
import { createNodeSpawn } from '../main/processes/node-spawn.ts';
import { askOnce } from '../main/processes/one-request.ts';
import type { FitEstimate, FitRecord } from '../shared/domain/fit.ts';
import { drawingSchema } from '../shared/domain/settings.ts';
import { inspectEngine } from '../worker/inspect.ts';
import { entryOf } from './local-engine.ts';
import { modelsFolders } from './model-option.ts';
import { userDataFolder } from './user-data.ts';

/** A large model on a slow disk takes minutes to open. */
const patienceMs = 30 * 60_000;

/** The same book that the app keeps. */
export function openFitBook(): FitBook {
  return new FitBook(path.join(userDataFolder(), 'data', 'fit.json'));
}

/** Measures a model in a process of its own, and keeps it. */
export async function measureModel(book: FitBook, folder: string): Promise<FitRecord> {
  const spawn = createNodeSpawn({ entry: entryOf('worker', 'main') });
  const options = { spawn, clock: systemClock, log: silentLogger, patienceMs };
  const { provider, measured } = await askOnce(options, 'calibrate', { folder, provider: 'auto' });
  const stored = await bytesOnDisk(readModelFolder(folder));
  const record = { folder, provider, bytesOnDisk: stored, at: Date.now(), measured };
  book.keep(record);
  return { ...record, corrections: { words: 1, picture: 1 }, observations: [] };
}

/** What is expected of every model here. */
export async function estimates(book: FitBook): Promise<readonly FitEstimate[]> {
  const { models, choice } = await inspectEngine(modelsFolders());
  const { steps } = drawingSchema.parse({});
  return estimateAll(book, models, choice.provider, steps);
}
