// A measured program in a process of its own: it answers one command at a time over IPC.
import { fork } from 'node:child_process';
import path from 'node:path';

export type Answer = Readonly<Record<string, number | string>>;

export type Measured = {
  /** Sends a command and waits for its answer. @throws what the program threw, or that it ended */
  readonly ask: (command: string, argument?: unknown) => Promise<Answer>;
  readonly end: () => void;
};

/**
 * Starts scripts/bench/NAME; it loads what it measures when it is asked to.
 * @param name file beside this one
 */
export function startMeasured(name: string): Measured {
  const child = fork(path.join(import.meta.dirname, name), [], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  });
  return {
    ask: (command, argument) =>
      new Promise((resolve, reject) => {
        const onExit = (code: number | null): void => reject(new Error(`${name} ended: ${code}`));
        child.once('exit', onExit);
        child.once('message', (message: { error?: string; answer?: Answer }) => {
          child.off('exit', onExit);
          if (message.answer === undefined) reject(new Error(`${name}: ${message.error}`));
          else resolve(message.answer);
        });
        child.send({ command, argument });
      }),
    end: () => void child.kill('SIGKILL'),
  };
}

/** The other side: answers commands with these functions until the process is ended. */
export function answerCommands(
  commands: Readonly<Record<string, (argument: never) => Promise<Answer>>>,
): void {
  process.on('message', ({ command, argument }: { command: string; argument: never }) => {
    const work = commands[command]?.(argument) ?? Promise.reject(new Error(`no ${command}`));
    work.then(
      (answer) => process.send?.({ answer }),
      (error: Error) => process.send?.({ error: error.stack ?? error.message }),
    );
  });
}

/** Seconds that `work` takes. */
export async function secondsOf(work: () => Promise<unknown>): Promise<number> {
  const begin = performance.now();
  await work();
  return (performance.now() - begin) / 1000;
}
