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
