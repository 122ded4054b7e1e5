import { z } from 'zod';
import { wireErrorSchema } from '../errors.ts';

/**
 * Between main and a process that looks through a copy of the database: one copy, then it ends. SQLite's check of a large
 * file takes seconds in one piece, and would hold main for as long.
 */

/** Main to the keeper: the copy's path. */
export const toKeeperSchema = z.object({ file: z.string() });
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

/** The keeper to main. */
export const fromKeeperSchema = z.union([
  z.object({ facts: copyFactsSchema }),
  z.object({ error: wireErrorSchema }),
]);
export type FromKeeper = z.infer<typeof fromKeeperSchema>;
