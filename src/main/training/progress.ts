/** What a run's events say of it, folded one by one. */
import type { RunState, RunSummary, RunTrouble } from '../../shared/domain/training.ts';
import type { RunEvent } from './event-log.ts';
import { troubleOf } from './remedies.ts';

type Phase = Extract<RunState, 'ready' | 'starting' | 'checking' | 'caching' | 'running'>;
type End = Extract<RunEvent, { event: 'stopped' | 'finished' | 'error' | 'question' }>;
type Exit = Extract<RunEvent, { event: 'ended' }>;

/** A run as its events tell it. `phase` and what follows it are those of the process that was started last. */
export interface RunProgress {
  readonly phase: Phase;
  readonly end: End | null;
  readonly exit: Exit | null;
  readonly startedAt: number | null;
  readonly heardAt: number | null;
  readonly step: number;
  readonly steps: number | null;
  readonly loss: number | null;
  readonly etaSeconds: number | null;
  readonly progress: { readonly done: number; readonly total: number } | null;
  readonly skippedRows: number;
  readonly device: string | null;
  readonly processes: number | null;
}

export const noProgress: RunProgress = {
  phase: 'ready',
  end: null,
  exit: null,
  startedAt: null,
  heardAt: null,
  step: 0,
  steps: null,
  loss: null,
  etaSeconds: null,
  progress: null,
  skippedRows: 0,
  device: null,
  processes: null,
};

/** The run after an event. */
export function fold(before: RunProgress, event: RunEvent): RunProgress {
  const at = event.time * 1000;
  return { ...before, ...changeBy(before, event, at), heardAt: at };
}

function changeBy(before: RunProgress, event: RunEvent, at: number): Partial<RunProgress> {
  switch (event.event) {
    case 'launched':
      return {
        ...{ phase: 'starting', end: null, exit: null, startedAt: at },
        ...{ progress: null, etaSeconds: null },
      };
    case 'checking':
      return { phase: 'checking', progress: { done: event.done, total: event.total } };
    case 'caching':
      return { phase: 'caching', progress: { done: event.done, total: event.total } };
    case 'started': {
      const { step, steps, device, processes } = event;
      return { phase: 'running', step, steps, device, processes, progress: null };
    }
    case 'step': {
      const { step, steps, loss, etaSeconds, skipped } = event;
      return { step, steps, loss, etaSeconds, skippedRows: skipped };
    }
    case 'skipped':
      return { skippedRows: Math.max(before.skippedRows, event.count) };
    case 'stopped':
      return { end: event, step: event.step, steps: event.steps, etaSeconds: null };
    case 'finished':
      return { end: event, step: event.step, etaSeconds: null, skippedRows: event.skipped };
    case 'error':
    case 'question':
      return { end: event, etaSeconds: null };
    case 'ended':
      return { exit: event };
    case 'validation':
    case 'prompts':
    case 'replies':
    case 'checkpoint':
    case 'damaged':
      return {};
    default:
      return event satisfies never;
  }
}

/** The state of a run. `alive`: its process is there; `stopAsked`: it was told to save and leave. */
export function stateOf(progress: RunProgress, alive: boolean, stopAsked: boolean): RunState {
  if (alive && progress.end?.event !== 'finished') return stopAsked ? 'stopping' : progress.phase;
  if (progress.phase === 'ready') return 'ready';
  switch (progress.end?.event) {
    case 'stopped':
      return 'stopped';
    case 'finished':
      return 'finished';
    case 'error':
      return 'failed';
    case 'question':
      return 'asking';
    case undefined:
      // Told to stop before its first step there was nothing to save.
      if (stopAsked && progress.phase !== 'running') return 'stopped';
      return endedByItself(progress.exit) ? 'failed' : 'interrupted';
    default:
      return progress.end satisfies never;
  }
}

/** A process that ended with a code but without an event: Python itself failed, before the trainer could say anything. */
function endedByItself(exit: Exit | null): boolean {
  return exit !== null && exit.code !== null && exit.code !== 0;
}

/** Why a run of that state ended before its end. */
export function troubleIn(
  progress: RunProgress,
  state: RunState,
  lastWords: () => string,
): RunTrouble | null {
  if (state === 'interrupted') return troubleOf('killed', wordsOfExit(progress.exit));
  if (state !== 'failed') return null;
  if (progress.end?.event === 'error') return troubleOf(progress.end.kind, progress.end.message);
  return troubleOf('internal', `The trainer did not start: ${lastWords()}`);
}

function wordsOfExit(exit: Exit | null): string {
  if (exit?.signal === 'SIGKILL') {
    return 'The process of the run was ended by SIGKILL; the system does this when memory runs out.';
  }
  if (exit?.signal !== null && exit?.signal !== undefined) {
    return `The process of the run was ended by ${exit.signal}.`;
  }
  return 'The process of the run is gone: it was ended from outside, or the machine went off.';
}

/** What a summary has from the events. */
export function summaryFields(
  progress: RunProgress,
): Pick<
  RunSummary,
  'startedAt' | 'heardAt' | 'step' | 'steps' | 'loss' | 'etaSeconds' | 'progress' | 'skippedRows'
> &
  Pick<RunSummary, 'device' | 'processes' | 'question'> {
  const { startedAt, heardAt, step, steps, loss, etaSeconds, skippedRows } = progress;
  const question =
    progress.end?.event === 'question'
      ? { message: progress.end.message, changes: progress.end.changes }
      : null;
  return {
    ...{ startedAt, heardAt, step, steps, loss, etaSeconds, skippedRows, question },
    progress: progress.progress,
    device: progress.device,
    processes: progress.processes,
  };
}
