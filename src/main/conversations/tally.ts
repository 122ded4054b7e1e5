/** Which of two models answered better, as people judged: kept as lines on the disk, without a word of what was asked. */
import { appendFileSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import {
  comparedModelSchema,
  verdictSchema,
  type Tally,
  type Verdict,
} from '../../shared/domain/comparison.ts';

const judgementSchema = z.object({
  /** Milliseconds since the epoch. */
  at: z.number(),
  /** A, then B. */
  models: z.tuple([comparedModelSchema, comparedModelSchema]),
  blind: z.boolean(),
  verdict: verdictSchema,
});
export type Judgement = z.infer<typeof judgementSchema>;

export interface TallyBook {
  add(judgement: Judgement): void;
  /** A tally for each two models that were compared, the last judged first. */
  read(): Tally[];
}

/** @param file a JSON line a judgement; a line that a crash cut is passed over */
export function openTallyBook(file: string): TallyBook {
  return {
    add(judgement) {
      mkdirSync(path.dirname(file), { recursive: true });
      // The line break first: what a crash cut before must not take this line with it.
      appendFileSync(file, `\n${JSON.stringify(judgement)}`);
    },
    read: () => tally(existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []),
  };
}

function tally(lines: readonly string[]): Tally[] {
  const tallies = new Map<string, Tally>();
  for (const judgement of lines.flatMap(readLine)) {
    // One pair, whichever was shown first.
    const [one, other] = judgement.models;
    const models: Tally['models'] = other.folder < one.folder ? [other, one] : [one, other];
    const key = models.map(({ folder }) => folder).join('\n');
    const before = tallies.get(key) ?? { wins: [0, 0], both: 0, neither: 0, blind: 0 };
    tallies.delete(key);
    tallies.set(key, counted({ ...before, models }, judgement));
  }
  return [...tallies.values()].reverse();
}

function counted(before: Tally, { models, verdict, blind }: Judgement): Tally {
  const won = winner(models, verdict);
  const [first, second] = before.models;
  const [one, other] = before.wins;
  return {
    ...before,
    wins: [one + Number(won === first.folder), other + Number(won === second.folder)],
    both: before.both + Number(verdict === 'both'),
    neither: before.neither + Number(verdict === 'neither'),
    blind: before.blind + Number(blind),
  };
}

function winner(models: Judgement['models'], verdict: Verdict): string | null {
  if (verdict === 'both' || verdict === 'neither') return null;
  return models[verdict === 'A' ? 0 : 1].folder;
}

function readLine(line: string): Judgement[] {
  try {
    const parsed = judgementSchema.safeParse(JSON.parse(line));
    return parsed.success ? [parsed.data] : [];
  } catch {
    return [];
  }
}
