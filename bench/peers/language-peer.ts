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
    };

export interface LanguageOpened {
  /** Name and version of what computes. */
  readonly engine: string;
}

export interface LanguageRun {
  readonly prefillMs: number;
  readonly decodeMs: number;
  /** The tokens written, greedily. */
  readonly tokens: readonly number[];
}

/** Answers the bench in a peer's own process. */
export function serveLanguage(
  open: (model: string, threads: number, positions: number) => Promise<LanguageOpened>,
  run: (prompt: readonly number[], tokens: number) => Promise<LanguageRun>,
): void {
  servePeer((message) => {
    const request = message as LanguageRequest;
    return request.kind === 'open'
      ? open(request.model, request.threads, request.positions)
      : run(request.prompt, request.tokens);
  });
}
