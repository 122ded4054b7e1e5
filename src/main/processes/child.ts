import type { Port } from '../../shared/contracts/port.ts';

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

const signalNames: Readonly<Record<number, string>> = {
  4: 'SIGILL',
  6: 'SIGABRT',
  7: 'SIGBUS',
  8: 'SIGFPE',
  9: 'SIGKILL',
  11: 'SIGSEGV',
  15: 'SIGTERM',
};

/** A sentence for a person about how the worker ended. */
export function describeExit(exit: ChildExit, lastWords: string): string {
  const signal = exit.signal ?? signalOfCode(exit.code);
  const how = signal === null ? `ended with code ${exit.code}` : `was ended by ${signal}`;
  const lastLine = lastWords.trim().split('\n').at(-1)?.slice(0, 300) ?? '';
  const hint = signal === 'SIGKILL' ? ' (the system does this when memory runs out)' : '';
  return `The engine ${how}${hint}${lastLine === '' ? '.' : `: ${lastLine}`}`;
}

/** Electron gives waitpid's raw figure, shells 128 + n: both name a signal. */
function signalOfCode(code: number | null): string | null {
  if (code === null) return null;
  const number = code > 128 ? code - 128 : code & 0x7f;
  return code > 2 ? (signalNames[number] ?? null) : null;
}
