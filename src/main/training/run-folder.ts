/** What a run is on disk. Everything about it lies in its folder: nothing of it is remembered elsewhere. */
import { existsSync, readdirSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { runFileSchema, type RunCheckpoint, type RunFile } from '../../shared/domain/training.ts';

/** Names in a run's folder. `checkpoints`, `model`, `stop` and `run.lock` are the trainer's. */
const names = {
  about: 'about.json',
  /** What `textbind train --config` takes too. */
  file: 'run.json',
  /** The trainer's events, and the launcher's own between them: the truth about the run. */
  events: 'events.jsonl',
  /** Whatever else the trainer says. */
  log: 'log.txt',
  process: 'process.json',
  stop: 'stop',
  checkpoints: 'checkpoints',
  model: 'model',
} as const;
type Name = keyof typeof names;

const aboutSchema = z.object({
  format: z.literal(1),
  id: z.uuid(),
  name: z.string(),
  createdAt: z.number(),
  /** How many processes train together. */
  processes: z.number().int().min(1),
  /** Names of models that were made of it. */
  published: z.array(z.string()),
  /** Whether the chat's model gives up its memory while it is under way. */
  restsEngine: z.boolean().default(false),
  /** By the calendar, when it was put aside. */
  deletedAt: z.number().nullable(),
});
export type RunAbout = z.infer<typeof aboutSchema>;

const processSchema = z.object({
  pid: z.number().int().positive(),
  startedAs: z.string().nullable(),
});

/** A run's place on disk. */
export class RunFolder {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
  }

  path(name: Name): string {
    return path.join(this.folder, names[name]);
  }

  /** @throws StudioError `bad-input` where it is no run's folder */
  readAbout(): RunAbout {
    return readJsonFile(this.path('about'), aboutSchema, 'bad-input');
  }

  writeAbout(about: RunAbout): void {
    writeJsonFileSync(this.path('about'), about);
  }

  /** @throws StudioError `bad-input` naming the field at fault */
  readFile(): RunFile {
    return readJsonFile(this.path('file'), runFileSchema, 'bad-input');
  }

  writeFile(file: RunFile): void {
    writeJsonFileSync(this.path('file'), file);
  }

  /** The process that was started last; null where none ever was. */
  readProcess(): z.infer<typeof processSchema> | null {
    if (!existsSync(this.path('process'))) return null;
    return readJsonFile(this.path('process'), processSchema, 'bad-input');
  }

  writeProcess(identity: z.infer<typeof processSchema>): void {
    writeJsonFileSync(this.path('process'), identity);
  }

  /** Whole checkpoints, oldest first. */
  checkpoints(): RunCheckpoint[] {
    const root = this.path('checkpoints');
    return namesIn(root)
      .filter((name) => /^step-\d+$/.test(name))
      .sort()
      .flatMap((name) => checkpointAt(path.join(root, name)));
  }

  /** The folder of the checkpoint of a step. */
  checkpoint(step: number): string {
    return path.join(this.path('checkpoints'), `step-${String(step).padStart(8, '0')}`);
  }
}

function checkpointAt(folder: string): RunCheckpoint[] {
  try {
    // Written last: without it the checkpoint is not whole.
    const savedAt = statSync(path.join(folder, 'manifest.json')).mtimeMs;
    const sizes = namesIn(folder).map((name) => statSync(path.join(folder, name)).size);
    const step = Number(path.basename(folder).slice('step-'.length));
    return [{ step, savedAt, bytes: sizes.reduce((sum, size) => sum + size, 0) }];
  } catch {
    return []; // It went while it was being looked at: the trainer keeps the newest few.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
