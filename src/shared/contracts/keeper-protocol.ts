import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';

/**
 * Between main and a process that does for it what could hold it up: it looks through a copy of the database (SQLite's
 * check of a large file takes seconds in one piece), or sees whether places on other drives answer (one on a dead drive
 * never does, and nothing gets a thread back that asked). One question, then it ends.
 */

/** Main to the keeper: the copy's path, or the places. */
export const toKeeperSchema = z.union([
  z.object({ file: z.string() }),
  z.object({ places: z.array(z.string()) }),
]);
export type ToKeeper = z.infer<typeof toKeeperSchema>;

/** What a copy is, as it was found. */
export const copyFactsSchema = z.object({
  /** What is wrong with it; empty where it is whole. */
  faults: z.array(z.string()),
  form: z.number().int(),
  conversations: z.number().int().nonnegative(),
  turns: z.number().int().nonnegative(),
  bytes: z.number().int().positive(),
  sha256: z.string().regex(/^[0-9a-f]{64}$/),
});
export type CopyFacts = z.infer<typeof copyFactsSchema>;

/** The keeper to main of a copy. */
export const fromKeeperSchema = z.union([
  z.object({ facts: copyFactsSchema }),
  z.object({ error: wireErrorSchema }),
]);
export type FromKeeper = z.infer<typeof fromKeeperSchema>;

/** The keeper to main of places: it has begun to ask; then of each as it answers (there or not, its drive is awake). */
export const fromDrivesSchema = z.union([
  z.object({ asking: z.literal(true) }),
  z.object({ answered: z.string() }),
]);
export type FromDrives = z.infer<typeof fromDrivesSchema>;
