/** A download as it is kept on the disk: what was said yes to, and how far it is. */
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import { readJsonFile } from '../../base/json-file.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import { cataloguePartSchema, catalogueSystemSchema } from '../../shared/domain/catalogue.ts';
import { downloadStorageSchema, downloadWantSchema } from '../../shared/domain/download.ts';
import { filePlanSchema } from './plan.ts';
import { reasonOf } from '../../shared/errors.ts';

export const jobPartSchema = z.object({
  part: cataloguePartSchema,
  commit: z.string(),
  /** Name of its folder among the parts. */
  folder: z.string(),
  files: z.array(filePlanSchema),
});
export type JobPart = z.infer<typeof jobPartSchema>;

export const jobSchema = z.object({
  id: z.uuid(),
  entryId: z.string(),
  name: z.string(),
  /** The hub without a slash at its end. */
  hub: z.string(),
  /** Null for a part alone. */
  system: catalogueSystemSchema.nullable(),
  parts: z.array(jobPartSchema).min(1),
  /** Smaller ones come first. */
  order: z.number(),
  /** When the licences were accepted, milliseconds since the epoch. */
  acceptedAt: z.number(),
  /** `stopped` with its reason; anything else that is not done is paused when the app starts. */
  state: z.enum(['open', 'stopped', 'done']),
  reason: z.string().nullable(),
  /** Of a hub that refused. */
  wants: downloadWantSchema.nullable().default(null),
  modelFolder: z.string().nullable(),
  /** What is made of a system's parts. */
  storage: downloadStorageSchema.default('refer'),
});
export type Job = z.infer<typeof jobSchema>;

const fileOf = (folder: string, id: string): string => path.join(folder, `${id}.json`);

export function saveJob(folder: string, job: Job): void {
  mkdirSync(folder, { recursive: true });
  writeJsonFileSync(fileOf(folder, job.id), job);
}

export function removeJob(folder: string, id: string): void {
  rmSync(fileOf(folder, id), { force: true });
}

/** All that can be read; what cannot is left where it is and told. */
export function readJobs(folder: string, onFault: (message: string) => void): Job[] {
  let names: string[];
  try {
    names = readdirSync(folder).filter((name) => name.endsWith('.json'));
  } catch {
    return [];
  }
  const jobs = names.flatMap((name) => {
    try {
      return [readJsonFile(path.join(folder, name), jobSchema, 'storage')];
    } catch (error) {
      onFault(reasonOf(error));
      return [];
    }
  });
  return jobs.sort((a, b) => a.order - b.order);
}
