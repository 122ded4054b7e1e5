import { fork, type ChildProcess } from 'node:child_process';
import { reasonOf } from '../../src/shared/errors.ts';

/** A peer that cannot be had on this machine: said and skipped. */
export class PeerMissing extends Error {}

interface Answer {
  readonly body?: unknown;
  readonly error?: string;
}

/**
 * A peer in a process of its own, so that neither side's threads and memory stand in the other's way. One request at
 * a time; the peer's side is `servePeer`.
 */
export class PeerProcess {
  readonly #child: ChildProcess;
  readonly #name: string;
  #errors = '';

  constructor(name: string, program: string) {
    this.#name = name;
    this.#child = fork(program, [], {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    });
    this.#child.stderr?.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data.toString()).slice(-2000);
    });
  }

  /** @throws Error with the peer's message, or its last words where it died. */
  ask(request: unknown): Promise<unknown> {
    const child = this.#child;
    return new Promise((resolve, reject) => {
      const onExit = (code: number | null, signal: string | null): void => {
        const words = this.#errors.trim().split('\n').slice(-5).join('\n');
        settle(() => reject(new Error(`${this.#name} ended (${signal ?? code}): ${words}`)));
      };
      const onMessage = ({ body, error }: Answer): void =>
        settle(() =>
          error === undefined ? resolve(body) : reject(new Error(`${this.#name}: ${error}`)),
        );
      const settle = (finish: () => void): void => {
        child.off('exit', onExit);
        child.off('message', onMessage as (message: unknown) => void);
        finish();
      };
      child.once('exit', onExit);
      child.once('message', onMessage as (message: unknown) => void);
      child.send(request as object, (error) => {
        if (error !== null) onExit(child.exitCode, child.signalCode);
      });
    });
  }

  /** Resolves once the process is gone. */
  async close(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }
}

/** The peer's side: answers each message of the parent by `handle`. */
export function servePeer(handle: (request: unknown) => Promise<unknown>): void {
  process.on('message', (request) => {
    handle(request).then(
      (body) => process.send?.({ body } satisfies Answer),
      (error: unknown) => {
        const text = reasonOf(error);
        process.send?.({ error: text } satisfies Answer);
      },
    );
  });
  process.once('disconnect', () => process.exit(0));
}
