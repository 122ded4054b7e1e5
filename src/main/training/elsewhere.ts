/** Runs on other machines: a folder that is written for one, and the same folder taken in as a run when it is back. */
import { randomUUID } from 'node:crypto';
import { cp, mkdir, rename, rm } from 'node:fs/promises';
import { constants, existsSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { packedEventSchema, returnedEventSchema } from '../../shared/contracts/trainer-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import type { PackedRun } from '../../shared/domain/training.ts';
import { RunFolder } from './run-folder.ts';
import type { Run } from './run.ts';
import { askTrainer, type TrainerQuestion } from './trainer-answer.ts';
import type { TrainerRuntime } from './trainer-process.ts';

export interface ElsewhereOptions {
  readonly runtime: TrainerRuntime;
  /** Handed what can be stopped. */
  readonly onTask: (task: { stop(): void }) => void;
}

export interface PackOptions {
  /** A folder that is not there yet. */
  readonly out: string;
  /** Put data and model into it, not only their names. */
  readonly copy: boolean;
  readonly nodes: number;
  readonly gpus: number;
}

/** What of a folder that came back makes a run: the rest (the package, what was carried) stays where it is. */
const parts = ['run.json', 'events.jsonl', 'log.txt', 'checkpoints', 'model'] as const;

const manifestSchema = z.object({ name: z.string() });

/** @throws StudioError `bad-input` where the run file, its data or the place is wrong */
export async function packRun(
  run: Run,
  { out, copy, nodes, gpus }: PackOptions,
  options: ElsewhereOptions,
): Promise<PackedRun> {
  const args = ['pack', '--config', run.folder.path('file'), '--out', out];
  const machines = ['--nodes', String(nodes), '--gpus', String(gpus)];
  const all = [...args, ...machines, ...(copy ? ['--copy'] : [])];
  const { folder, files, bytes, copied } = await ask(
    options,
    askTrainer(options.runtime, 'elsewhere', all, packedEventSchema),
  );
  return { folder, files, bytes, copied };
}

/**
 * Reads a folder that came back, and copies what makes a run of it into a run's folder of ours; its own stays.
 * @param runsFolder holds a folder a run
 * @param nameOf the name of a run of ours by its id, where there is one
 * @returns the id of the run that it is now
 * @throws StudioError `bad-input` where it is no such folder, or its checkpoints are not what was written
 */
export async function takeBack(
  from: string,
  runsFolder: string,
  nameOf: (id: string) => string | null,
  now: number,
  options: ElsewhereOptions,
): Promise<string> {
  const back = askTrainer(options.runtime, 'elsewhere', ['back', from], returnedEventSchema);
  const returned = await ask(options, back);
  if (returned.state === 'never-started') {
    throw new StudioError('bad-input', `${from}: the run never started there: it has no events.`);
  }
  const { name } = readJsonFile(path.join(from, 'manifest.json'), manifestSchema, 'bad-input');
  const id = randomUUID();
  const made = new RunFolder(path.join(runsFolder, 'trash', `back-${id}`));
  try {
    await mkdir(made.folder, { recursive: true });
    for (const part of parts) {
      const source = path.join(from, part);
      const options = { recursive: true, mode: constants.COPYFILE_FICLONE };
      if (existsSync(source)) await cp(source, path.join(made.folder, part), options);
    }
    // Last: without it the folder is no run.
    made.writeAbout({
      ...{ format: 1, id, name: `${nameOf(name) ?? path.basename(from)} (elsewhere)` },
      ...{ createdAt: now, processes: 1, published: [], restsEngine: false, deletedAt: null },
    });
    await rename(made.folder, path.join(runsFolder, id));
    return id;
  } catch (error) {
    await rm(made.folder, { recursive: true, force: true });
    throw error;
  }
}

function ask<Answer>(
  { onTask }: ElsewhereOptions,
  question: TrainerQuestion<Answer>,
): Promise<Answer> {
  onTask(question);
  return question.answer;
}
