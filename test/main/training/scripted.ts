// Runs over a trainer that plays a part: real processes, real folders, no PyTorch.
import path from 'node:path';
import { onTestFinished } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { Runs } from '../../../src/main/training/runs.ts';
import type { RunState, RunSummary } from '../../../src/shared/domain/training.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export const scriptedCode = path.join(import.meta.dirname, 'scripted-trainer');

export { temporaryFolder };

/** As an app that has just started opens them. What is under way at the end is killed. */
export function openScriptedRuns(folder: string, stamp: () => number = () => 0): Runs {
  const runs = new Runs({
    folder: path.join(folder, 'runs'),
    clock: systemClock,
    log: silentLogger,
    stamp,
    runtime: () => ({ python: 'python3', code: scriptedCode }),
    onChange: () => undefined,
  });
  onTestFinished(async () => {
    for (const { id } of await runs.list()) await runs.kill(id);
    runs.close();
  });
  return runs;
}

/** A run that plays a part. */
export function createRun(runs: Runs, play: string): Promise<RunSummary> {
  const file = { stage: 1 as const, model: {}, data: { play }, output: '.' };
  return runs.create(`Run ${play}`, file, { processes: 1 });
}

/** Runs in a folder of their own, of which one has begun to play a part. */
export async function startRun(play: string) {
  const folder = temporaryFolder();
  const runs = openScriptedRuns(folder);
  const { id } = await createRun(runs, play);
  await runs.start(id, false);
  return { folder, runs, id };
}

/** Waits until a run is in a state, however long it takes. */
export async function reaches(
  runs: Runs,
  id: string,
  state: RunState,
  step = 0,
): Promise<RunSummary> {
  for (;;) {
    const run = await runs.find(id);
    await run.refresh();
    const summary = run.summary();
    if (summary.state === state && summary.step >= step) return summary;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
