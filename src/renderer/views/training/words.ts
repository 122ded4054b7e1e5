import { isLive, type RunState, type RunSummary } from '../../../shared/domain/training.ts';
import { timeLeft } from '../chat/words.ts';
import { decimal, grouped } from '../../numbers.ts';
import { t } from '../../texts.svelte.ts';

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
    words.push(t.training.doneOfTotal(number(progress.done), number(progress.total)));
  } else if (step > 0 || state === 'running') {
    words.push(
      steps === null
        ? t.training.stepNumber(number(step))
        : t.training.stepOf(number(step), number(steps)),
    );
    if (loss !== null) words.push(t.training.lossIs(loss.toPrecision(3)));
  }
  const left = state === 'running' ? timeLeft(etaSeconds) : null;
  if (left !== null) words.push(left);
  const says = t.training.states[state];
  return words.length === 0 ? says : says + t.common.colon + words.join(t.common.comma);
}

export function number(value: number): string {
  return grouped(value);
}

export function rowsWords(rows: number): string {
  return t.training.rows(number(rows), rows);
}

/** "3.2 h", "12 min" */
export function hoursWords(hours: number): string {
  if (hours >= 1) return t.training.hours(decimal(hours, 1));
  return t.training.minutes(Math.max(1, Math.round(hours * 60)));
}
