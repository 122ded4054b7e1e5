import { isLive, type RunState, type RunSummary } from '../../../shared/domain/training.ts';
import { timeLeft } from '../chat/words.ts';

const stateWords: Readonly<Record<RunState, string>> = {
  ready: 'Not started',
  starting: 'Starting',
  checking: 'Looking through the data',
  caching: 'Keeping features of the pictures',
  running: 'Training',
  stopping: 'Saving, then stopping',
  stopped: 'Stopped',
  asking: 'Waits for an answer',
  failed: 'Failed',
  interrupted: 'Interrupted',
  finished: 'Finished',
};

export function stateTone(state: RunState): 'calm' | 'good' | 'waiting' | 'bad' {
  if (state === 'finished') return 'good';
  if (state === 'failed' || state === 'interrupted') return 'bad';
  return isLive(state) || state === 'asking' ? 'waiting' : 'calm';
}

/** "Training: step 40 of 1,000, loss 1.83, 12 min left" */
export function runWords(run: RunSummary): string {
  const { state, step, steps, loss, progress, etaSeconds } = run;
  const words: string[] = [];
  if (progress !== null && (state === 'checking' || state === 'caching')) {
    words.push(`${number(progress.done)} of ${number(progress.total)}`);
  } else if (step > 0 || state === 'running') {
    words.push(
      steps === null ? `step ${number(step)}` : `step ${number(step)} of ${number(steps)}`,
    );
    if (loss !== null) words.push(`loss ${loss.toPrecision(3)}`);
  }
  const left = state === 'running' ? timeLeft(etaSeconds) : null;
  if (left !== null) words.push(left);
  return words.length === 0 ? stateWords[state] : `${stateWords[state]}: ${words.join(', ')}`;
}

export function number(value: number): string {
  return value.toLocaleString('en');
}

export function rowsWords(rows: number): string {
  return `${number(rows)} ${rows === 1 ? 'row' : 'rows'}`;
}

/** "3.2 h", "12 min" */
export function hoursWords(hours: number): string {
  if (hours >= 1) return `${hours.toFixed(1)} h`;
  return `${Math.max(1, Math.round(hours * 60))} min`;
}
