import { StudioError, toWireError } from '../../shared/errors.ts';
import type { WorkerRequestName } from '../../shared/contracts/worker-protocol.ts';
import type { Clock, Timer } from '../../base/clock.ts';
import type { Logger } from '../../base/log.ts';
import { describeExit, type Child, type ChildExit, type Spawn } from './child.ts';
import { endChild } from './kill-ladder.ts';
import { WorkerClient, type AnswerDrawing } from './worker-client.ts';

/** Deadlines and back-off, milliseconds. A run of a session blocks the worker's loop, so a busy worker may be silent. */
export const supervision = {
  readyMs: 60_000,
  pingEveryMs: 5_000,
  /** Silence after which it counts as unresponsive: while idle or asked to stop, and while it works. */
  silentIdleMs: 20_000,
  silentBusyMs: 120_000,
  /** Silence after which it is killed. Opening and drawing on a slow machine are one long run. */
  killIdleMs: 60_000,
  killBusyMs: 900_000,
  /** Before the first and the second restart. */
  backOffMs: [500, 3_000],
  /** This many crashes within the window, and a person is asked. */
  crashLimit: 3,
  crashWindowMs: 5 * 60_000,
} as const;

export type SupervisorState =
  'starting' | 'running' | 'unresponsive' | 'crashed' | 'halted' | 'stopped';

export interface SupervisorStatus {
  readonly state: SupervisorState;
  readonly reason: string | null;
  readonly restartInMs: number | null;
  readonly crashes: number;
}

export interface SupervisorOptions {
  readonly spawn: Spawn;
  readonly clock: Clock;
  readonly log: Logger;
  /** The worker is up; requests may be made of the client until it fails. */
  readonly onReady: (client: WorkerClient) => void;
  /** State or activity changed. */
  readonly onChange: () => void;
  /** What sentences about it begin with. */
  readonly called?: string;
  /** Whether it is started again after a crash. A process that is only needed now and then waits to be. */
  readonly restarts?: boolean;
  readonly onAsk?: AnswerDrawing | undefined;
}

interface Run {
  readonly child: Child;
  readonly client: WorkerClient;
  readonly exited: Promise<ChildExit>;
  /** Why we ended it ourselves, where we did. */
  endReason: string | null;
  /** Ended on purpose: no crash. */
  wanted: boolean;
  lastSignAt: number;
  lastCheckAt: number;
  pinging: boolean;
}

/** Starts the worker, watches it, starts it again after a crash, and ends it. */
export class Supervisor {
  readonly #options: SupervisorOptions;
  #run: Run | null = null;
  // Whoever made it starts it when the window stands: a window that asks before that is not told that it is off.
  #status: SupervisorStatus = { state: 'starting', reason: null, restartInMs: null, crashes: 0 };
  #crashTimes: number[] = [];
  #timer: Timer | null = null;
  #restart: Timer | null = null;
  #closed = false;

  constructor(options: SupervisorOptions) {
    this.#options = options;
  }

  status(): SupervisorStatus {
    return this.#status;
  }

  /** Requests that the worker has not answered. */
  inFlight(): readonly WorkerRequestName[] {
    return this.#run?.client.inFlight() ?? [];
  }

  /** The worker's process id, while there is one. */
  pid(): number | undefined {
    return this.#run?.child.pid();
  }

  start(): void {
    if (this.#run !== null || this.#closed) return;
    this.#restart?.cancel();
    this.#restart = null;
    this.#set({ state: 'starting', reason: null, restartInMs: null });
    let child: Child;
    try {
      child = this.#options.spawn();
    } catch (error) {
      this.#crashed(`${this.#called} could not be started: ${toWireError(error).message}`);
      return;
    }
    this.#watch(child);
  }

  /** Forgets earlier crashes and starts anew, ending what runs. */
  async restart(): Promise<void> {
    this.#crashTimes = [];
    this.#set({ state: 'starting', reason: null, restartInMs: null, crashes: 0 });
    await this.#end(`${this.#called} is being restarted.`);
    this.start();
  }

  /** Ends the worker for good. Resolves when its process is gone. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.stop('The app is closing.');
  }

  /** Ends the worker until it is started again. Resolves when its process is gone. */
  async stop(reason: string): Promise<void> {
    await this.#end(reason);
    this.#set({ state: 'stopped', reason: null, restartInMs: null });
  }

  #watch(child: Child): void {
    const { clock, log, onChange, onAsk } = this.#options;
    const client = new WorkerClient({
      port: child.port,
      clock,
      log,
      onReady: () => this.#ready(run),
      onSign: () => this.#signOfLife(run),
      onActivity: onChange,
      onAsk,
    });
    const exited = new Promise<ChildExit>((resolve) => child.onExit(resolve));
    const run: Run = {
      child,
      client,
      exited,
      endReason: null,
      wanted: false,
      lastSignAt: clock.monotonicMs(),
      lastCheckAt: clock.monotonicMs(),
      pinging: false,
    };
    this.#run = run;
    void exited.then((exit) => this.#exited(run, exit));
    this.#setTimer(supervision.readyMs, () => {
      run.endReason = `${this.#called} was not ready after ${supervision.readyMs / 1000} s.`;
      child.kill('SIGKILL');
    });
  }

  #ready(run: Run): void {
    if (this.#run !== run || run.wanted || this.#status.state !== 'starting') return;
    this.#options.log.info('worker ready', { pid: run.child.pid() });
    this.#set({ state: 'running', reason: null, restartInMs: null });
    run.lastCheckAt = this.#options.clock.monotonicMs();
    this.#schedulePing(run);
    this.#options.onReady(run.client);
  }

  #schedulePing(run: Run): void {
    this.#setTimer(supervision.pingEveryMs, () => {
      this.#ping(run);
      this.#checkSilence(run);
      if (this.#run === run) this.#schedulePing(run);
    });
  }

  #ping(run: Run): void {
    if (run.pinging) return;
    run.pinging = true;
    const done = (): void => void (run.pinging = false);
    run.client.request('ping', null).then(done, done);
  }

  #checkSilence(run: Run): void {
    const now = this.#options.clock.monotonicMs();
    // The machine slept: its silence says nothing.
    if (now - run.lastCheckAt > 4 * supervision.pingEveryMs) run.lastSignAt = now;
    run.lastCheckAt = now;
    const stopAskedAt = run.client.stopAskedAt();
    const busy = run.client.inFlight().length > 0 && stopAskedAt === null;
    // A run may be long and silent; once a person asked for its end, nobody waits that long. Counted from the asking.
    const silentMs = now - Math.max(run.lastSignAt, stopAskedAt ?? run.lastSignAt);
    const seconds = Math.round(silentMs / 1000);
    if (silentMs > (busy ? supervision.killBusyMs : supervision.killIdleMs)) {
      run.endReason = `${this.#called} did not answer for ${seconds} s and was ended.`;
      run.child.kill('SIGKILL');
    } else if (silentMs > (busy ? supervision.silentBusyMs : supervision.silentIdleMs)) {
      const reason = `${this.#called} has not answered for ${seconds} s.`;
      this.#set({ state: 'unresponsive', reason, restartInMs: null });
    }
  }

  #signOfLife(run: Run): void {
    run.lastSignAt = this.#options.clock.monotonicMs();
    if (this.#run !== run || this.#status.state !== 'unresponsive') return;
    this.#set({ state: 'running', reason: null, restartInMs: null });
  }

  #exited(run: Run, exit: ChildExit): void {
    const reason = run.endReason ?? describeExit(exit, run.child.lastWords(), this.#called);
    run.client.fail(
      new StudioError('worker-crashed', reason, {
        cause: `code ${exit.code}, signal ${exit.signal}\n${run.child.lastWords()}`,
      }),
    );
    run.child.port.close();
    if (this.#run !== run) return;
    this.#run = null;
    this.#timer?.cancel();
    if (run.wanted) return;
    this.#options.log.error('worker gone', { code: exit.code, signal: exit.signal, reason });
    this.#crashed(reason);
  }

  #crashed(reason: string): void {
    const { clock } = this.#options;
    const now = clock.monotonicMs();
    const { crashLimit, crashWindowMs, backOffMs } = supervision;
    this.#crashTimes = [...this.#crashTimes.filter((at) => now - at < crashWindowMs), now];
    const crashes = this.#crashTimes.length;
    if (crashes >= crashLimit) {
      this.#set({ state: 'halted', reason, restartInMs: null, crashes });
      return;
    }
    if (this.#options.restarts === false) {
      this.#set({ state: 'crashed', reason, restartInMs: null, crashes });
      return;
    }
    const restartInMs = backOffMs[crashes - 1] ?? Math.max(...backOffMs);
    this.#set({ state: 'crashed', reason, restartInMs, crashes });
    this.#restart = clock.after(restartInMs, () => this.start());
  }

  async #end(reason: string): Promise<void> {
    this.#restart?.cancel();
    const run = this.#run;
    if (run === null) return;
    run.wanted = true;
    run.endReason = reason;
    this.#timer?.cancel();
    await endChild(run.child, run.exited, this.#options.clock);
    // `exited` has been told to #exited first, so that nothing of the old run is left.
    if (this.#run === run) this.#run = null;
  }

  #setTimer(delayMs: number, callback: () => void): void {
    this.#timer?.cancel();
    this.#timer = this.#options.clock.after(delayMs, callback);
  }

  get #called(): string {
    return this.#options.called ?? 'The engine';
  }

  #set(change: Partial<SupervisorStatus>): void {
    this.#status = { ...this.#status, ...change };
    this.#options.onChange();
  }
}
