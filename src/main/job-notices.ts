import type { AppEventBody, AppEventName } from '../shared/contracts/app-ipc.ts';
import type { Clock } from '../base/clock.ts';
import { english, type Voice } from '../shared/texts/voice.ts';
import { isLive } from '../shared/domain/training.ts';

/** A job that took at least this long is told of where nobody looks. */
export const longJobMs = 15_000;

export interface JobNoticesOptions {
  readonly clock: Pick<Clock, 'now'>;
  /** The window is looked at. */
  readonly isInSight: () => boolean;
  /** Shows it on the desktop. Words of a conversation are never in it. */
  readonly notify: (title: string, body: string) => void;
  readonly voice?: Voice;
}

/**
 * Tells of long jobs that ended out of sight, from the events that the window is told: replies and drawings, and
 * training. What a person stopped themselves is not told.
 */
export function createJobNotices({
  clock,
  isInSight,
  notify,
  voice = english,
}: JobNoticesOptions): (name: AppEventName, body: unknown) => void {
  const words = () => voice.texts().desktop;
  const begun = new Map<string, number>();
  const ended = (id: string, title: string, body: string): void => {
    const at = begun.get(id);
    begun.delete(id);
    if (at !== undefined && clock.now() - at >= longJobMs && !isInSight()) notify(title, body);
  };
  const reply = ({ turnId, event }: AppEventBody<'chat.reply'>): void => {
    if (event.kind === 'begun') begun.set(turnId, clock.now());
    if (event.kind !== 'ended') return;
    if (event.status === 'stopped') begun.delete(turnId);
    else if (event.status === 'complete' || event.status === 'cut')
      ended(turnId, words().replyIsReady, words().modelHasAnswered);
    else ended(turnId, words().replyWasNotFinished, words().conversationSaysWhy);
  };
  const training = ({ run }: AppEventBody<'runs.changed'>): void => {
    if (isLive(run.state)) {
      if (!begun.has(run.id)) begun.set(run.id, clock.now());
    } else if (run.state === 'finished')
      ended(run.id, words().trainingIsDone, words().named(run.name));
    else if (run.state === 'stopped') begun.delete(run.id);
    else ended(run.id, words().trainingHasEnded, words().runSaysWhy(run.name));
  };
  return (name, body) => {
    // Each name has its own body, which a table of functions cannot say.
    if (name === 'chat.reply') reply(body as AppEventBody<'chat.reply'>);
    else if (name === 'runs.changed') training(body as AppEventBody<'runs.changed'>);
  };
}
