import { z } from 'zod';
import type { SettingsTable } from './settings.ts';

const dayMs = 24 * 60 * 60 * 1000;
/** The most that the calendar goes forward at a time, and how long until it may do so again. Milliseconds. */
export const stride = { most: 10 * dayMs, every: 20 * 60 * 60 * 1000 } as const;

const stateName = 'calendar';
const stateSchema = z.object({
  /** What the calendar showed last, and when by the machine's clock it last made up for more than had passed. */
  at: z.number().int(),
  strodeAt: z.number().int(),
});

/**
 * Time by which things are deleted for good, milliseconds since the epoch. The machine's clock may be months ahead for
 * one start; this goes after it in strides, so that a deletion is seen at several starts on several days before it is
 * taken to be a month old. A clock that is set back does not take it along.
 */
export interface Calendar {
  /** Never later than the machine's clock. Things that are older than a time before this may go. */
  now(): number;
  /** The time to write on what is deleted now: not in a past that a clock set back would show. */
  stamp(): number;
  /** Not before the calendar has come so far may a file be taken for one that nobody wants. */
  leaveFilesUntil(): number;
  /** Pictures whose rows are gone with a database must not go after them. */
  leaveFilesFor(durationMs: number): void;
}

/** Reads the calendar, and moves it on; call `now` from time to time while the app runs. */
export function createCalendar(settings: SettingsTable, clock: () => number): Calendar {
  const advance = (): number => {
    const now = clock();
    const kept = stateSchema.safeParse(settings.state(stateName));
    const state = kept.success ? kept.data : { at: now, strodeAt: now };
    const next = move(state, now);
    if (!kept.success || next.at !== state.at || next.strodeAt !== state.strodeAt)
      settings.keepState(stateName, next);
    return next.at;
  };
  const leaveUntil = 'pictures.leaveUntil';
  return {
    now: () => Math.min(advance(), clock()),
    stamp: () => Math.max(advance(), clock()),
    leaveFilesUntil: () => z.number().catch(0).parse(settings.state(leaveUntil)),
    leaveFilesFor: (durationMs) => settings.keepState(leaveUntil, advance() + durationMs),
  };
}

type CalendarState = z.infer<typeof stateSchema>;

function move({ at, strodeAt }: CalendarState, now: number): CalendarState {
  // A clock that was ahead when it strode must not hold it for ever.
  const sinceStride = Math.abs(now - strodeAt);
  if (now <= at || sinceStride < stride.every) return { at, strodeAt };
  return { at: Math.min(now, at + stride.most), strodeAt: now };
}
