import { memoryOfProcess, type ProcessMemory } from '../machine.ts';
import { servePeer } from './peer-process.ts';

/** What the two language models are asked, alike. */
export type LanguageRequest =
  | {
      readonly kind: 'open';
      readonly model: string;
      readonly threads: number;
      readonly positions: number;
    }
  | {
      readonly kind: 'run';
      /** All but the last are read first; the last is fed when writing begins. */
      readonly prompt: readonly number[];
      /** How many tokens to write, whatever they are. */
      readonly tokens: number;
    }
  | { readonly kind: 'memory' };

export type LanguageMemory = ProcessMemory;

export interface LanguageOpened {
  /** Name and version of what computes. */
  readonly engine: string;
}

export interface LanguageRun {
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** Time of the processor that all threads took together. */
  readonly prefillCpuMs: number;
  readonly decodeCpuMs: number;
  /** The tokens written, greedily. */
  readonly tokens: readonly number[];
}

/** A moment by the clock and by this process's time of the processor. */
export interface Moment {
  readonly ms: number;
  readonly cpuMs: number;
}

export function now(): Moment {
  const { user, system } = process.cpuUsage();
  return { ms: performance.now(), cpuMs: (user + system) / 1000 };
}

/** The figures of a run that began, had read, and ended at these moments. */
export function runBetween(
  begin: Moment,
  read: Moment,
  end: Moment,
  tokens: readonly number[],
): LanguageRun {
  return {
    prefillMs: read.ms - begin.ms,
    prefillCpuMs: read.cpuMs - begin.cpuMs,
    decodeMs: end.ms - read.ms,
    decodeCpuMs: end.cpuMs - read.cpuMs,
    tokens,
  };
}

/** Answers the bench in a peer's own process. */
export function serveLanguage(
  open: (model: string, threads: number, positions: number) => Promise<LanguageOpened>,
  run: (prompt: readonly number[], tokens: number) => Promise<LanguageRun>,
): void {
  servePeer((message) => {
    const request = message as LanguageRequest;
    switch (request.kind) {
      case 'open':
        return open(request.model, request.threads, request.positions);
      case 'run':
        return run(request.prompt, request.tokens);
      case 'memory':
        return Promise.resolve(memoryOfProcess());
    }
  });
}
