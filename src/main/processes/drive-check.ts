import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { fromDrivesSchema, type ToKeeper } from '../../shared/contracts/keeper-protocol.ts';
import { toWireError } from '../../shared/errors.ts';
import type { Child, Spawn } from './child.ts';

/** So long somebody waits for an answer; one that comes later is told. Milliseconds. */
export const driveWaitMs = 2000;
/** After that it is taken for dead, and asked anew the next time. Milliseconds. */
export const driveGiveUpMs = 60_000;
/** For so long an answer holds. Milliseconds. */
const holdsMs = 5000;
/** How long the process is kept after its last answer. Milliseconds. */
const idleMs = 5 * 60_000;

export interface DriveCheckOptions {
  /** Starts the keeper. */
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  /** Whether a place lies where the app's own things do: then nothing is asked. */
  readonly isOwn: (place: string) => boolean;
  /** Something that did not answer in time has answered. */
  readonly onBack: () => void;
}

interface Asked {
  readonly place: string;
  /** When it answered; null before. */
  answeredAt: number | null;
  isLate: boolean;
  /** Resolves when it answers, when the wait is over, or when nobody can be asked. */
  readonly waited: Promise<void>;
  readonly end: () => void;
}

/**
 * Whether places on other drives answer: a share whose server is gone, or a disk that sleeps, holds up for good whoever
 * touches it, also by an asynchronous call, whose thread never comes back. So it is a process of its own that touches
 * them first; main goes near those alone that answered.
 */
export class DriveCheck {
  readonly #options: DriveCheckOptions;
  readonly #asked = new Map<string, Asked>();
  /** Asked, and not answered. */
  readonly #open = new Set<Asked>();
  #next: Asked[] = [];
  /** What the process was told and has not begun with. */
  #rounds: Asked[][] = [];
  #child: Child | null = null;
  #idle: Timer | null = null;

  constructor(options: DriveCheckOptions) {
    this.#options = options;
  }

  /** The first of these places that does not answer; null where all do. */
  readonly silent = async (places: readonly string[]): Promise<string | null> => {
    const others = [...new Set(places)].filter((place) => !this.#options.isOwn(place));
    const asked = others.map((place) => this.#ask(place));
    await Promise.all(asked.map(({ waited }) => waited));
    return asked.find((each) => each.answeredAt === null)?.place ?? null;
  };

  /** Places that were asked and have not answered. */
  away(): string[] {
    return [...this.#asked.values()]
      .filter(({ answeredAt, isLate }) => answeredAt === null && isLate)
      .map(({ place }) => place);
  }

  #ask(place: string): Asked {
    const { clock } = this.#options;
    const known = this.#asked.get(place);
    if (known !== undefined && clock.monotonicMs() - (known.answeredAt ?? Infinity) < holdsMs) {
      return known;
    }
    let end = (): void => undefined;
    const waited = new Promise<void>((resolve) => (end = resolve));
    const asked: Asked = { place, answeredAt: null, isLate: false, waited, end };
    this.#asked.set(place, asked);
    this.#next.push(asked);
    // Those of all models at once.
    if (this.#next.length === 1) queueMicrotask(() => this.#start());
    return asked;
  }

  /** Asks for all that was wanted at once, of one process. */
  #start(): void {
    const { clock, log } = this.#options;
    const round = this.#next;
    this.#next = [];
    for (const each of round) this.#open.add(each);
    try {
      this.#child ??= this.#spawn();
    } catch (error) {
      // Without that process nothing is known, and main goes there itself.
      log.warn('drives not asked', { reason: toWireError(error).message });
      return round.forEach((each) => this.#settle(each));
    }
    const child = this.#child;
    child.port.postMessage({ places: round.map(({ place }) => place) } satisfies ToKeeper);
    this.#idle?.cancel();
    this.#rounds.push(round);
    clock.after(driveGiveUpMs, () => this.#giveUp(round, child));
  }

  /** One that is asked again and again: Electron 33 never gives back what each process that it starts takes. */
  #spawn(): Child {
    const child = this.#options.spawn();
    this.#rounds = [];
    child.onExit(() => {
      if (this.#child !== child) return;
      this.#child = null;
      for (const each of this.#open) this.#settle(each);
    });
    child.port.onMessage((message) => {
      const { data } = fromDrivesSchema.safeParse(message);
      if (data === undefined) return;
      if ('asking' in data) return this.#wait();
      for (const each of this.#open) if (each.place === data.answered) this.#settle(each);
    });
    return child;
  }

  /** From now on: starting the process may take long on a busy machine, and says nothing of a drive. */
  #wait(): void {
    const round = this.#rounds.shift() ?? [];
    this.#options.clock.after(driveWaitMs, () => {
      for (const each of round) this.#isLate(each);
    });
  }

  #settle(asked: Asked): void {
    const { clock, onBack } = this.#options;
    this.#open.delete(asked);
    asked.answeredAt = clock.monotonicMs();
    asked.end();
    if (this.#open.size === 0) this.#endLater();
    if (asked.isLate) onBack();
  }

  #isLate(asked: Asked): void {
    if (asked.answeredAt !== null || asked.isLate) return;
    asked.isLate = true;
    asked.end();
    this.#options.log.warn('drive does not answer', { place: asked.place });
  }

  /** What holds the process up holds it up for good: another is asked the next time. */
  #giveUp(round: readonly Asked[], child: Child): void {
    if (round.every(({ answeredAt }) => answeredAt !== null)) return;
    for (const each of this.#open) {
      this.#asked.delete(each.place);
      this.#isLate(each);
    }
    this.#open.clear();
    if (this.#child === child) this.#child = null;
    child.kill('SIGKILL');
  }

  #endLater(): void {
    this.#idle?.cancel();
    this.#idle = this.#options.clock.after(idleMs, () => this.close());
  }

  /** Ends the process; a next question starts another. */
  close(): void {
    this.#idle?.cancel();
    const child = this.#child;
    this.#child = null;
    child?.kill('SIGKILL');
  }
}
