import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { publishModel, type Published } from '../../library/publish.ts';
import type { Run } from './run.ts';
import { askTrainer } from './trainer-answer.ts';
import type { TrainerRuntime } from './trainer-process.ts';

const publishedSchema = z.object({
  event: z.literal('published'),
  time: z.number(),
  step: z.number(),
  model: z.string(),
});

export interface PublishOptions {
  /** Of which checkpoint; null: the newest, or what the run left at its end. */
  readonly step: number | null;
  readonly name: string;
  /** The folder of models that it joins. */
  readonly models: string;
  /** Where a checkpoint is written as a model first: on the disk of the models, so that its files are linked. */
  readonly workFolder: string;
  readonly runtime: TrainerRuntime;
  /** Handed what can be stopped. */
  readonly onTask?: (task: { stop(): void }) => void;
}

/**
 * Makes a model of a run's checkpoint; the run may be under way.
 * @throws StudioError `bad-input` where there is no checkpoint, `storage` where there is no room
 */
export async function publishRun(run: Run, options: PublishOptions): Promise<Published> {
  const { step, name, models, workFolder } = options;
  mkdirSync(workFolder, { recursive: true });
  const made = path.join(workFolder, `publishing-${run.about.id}`);
  rmSync(made, { recursive: true, force: true });
  const isLeft = step === null && run.state() === 'finished';
  try {
    if (!isLeft) await exportCheckpoint(run, made, options);
    const published = await publishModel(isLeft ? run.folder.path('model') : made, models, name);
    run.setAbout({ published: [...run.about.published, name] });
    return published;
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

async function exportCheckpoint(
  { folder }: Run,
  out: string,
  { step, runtime, onTask }: PublishOptions,
): Promise<void> {
  const chosen = step === null ? [] : ['--checkpoint', folder.checkpoint(step)];
  const args = ['--config', folder.path('file'), '--out', out, ...chosen];
  const question = askTrainer(runtime, 'publish', args, publishedSchema);
  onTask?.(question);
  await question.answer;
}
