import type { Port } from '../../base/port.ts';

/** How a child process ended. */
export interface ChildExit {
  readonly code: number | null;
  readonly signal: string | null;
}

/** A running worker process as the supervisor holds it. */
export interface Child {
  readonly port: Port;
  pid(): number | undefined;
  onExit(callback: (exit: ChildExit) => void): void;
  /** The last of what it wrote to stderr, for a crash's reason. */
  lastWords(): string;
  kill(signal: 'SIGTERM' | 'SIGKILL'): void;
}

/** Starts a worker process. Throws where it cannot even be started. */
export type Spawn = () => Child;

/** A sentence for a person about how a process ended. `who` is its subject: The engine. */
export function describeExit(exit: ChildExit, lastWords: string, who = 'The engine'): string {
  const { code, signal } = exit;
  const how = signal === null ? `ended with code ${code}` : `was ended by ${signal}`;
  // Who is killed from outside has no last words: what it wrote before is about something else.
  const isKilled = signal === 'SIGKILL' || signal === 'SIGTERM';
  const lastLine = isKilled ? '' : (lastWords.trim().split('\n').at(-1)?.slice(0, 300) ?? '');
  const hint = signal === 'SIGKILL' ? ' (the system does this when memory runs out)' : '';
  return `${who} ${how}${hint}${lastLine === '' ? '.' : `: ${lastLine}`}`;
}
