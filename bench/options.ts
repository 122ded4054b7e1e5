import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { reasonOf } from '../src/shared/errors.ts';

export const sectionNames = [
  'language',
  'quality',
  'reply',
  'picture',
  'start',
  'storage',
  'scale',
  'scroll',
  'train',
] as const;
export type SectionName = (typeof sectionNames)[number];

/** What the command line asks for. */
export interface BenchOptions {
  readonly only: readonly SectionName[];
  readonly json: boolean;
  /** Rounds of each measurement; null: each section's own number. */
  readonly runs: number | null;
  /** For the language model and its peer; the worker takes its own default, which is the same number. */
  readonly threads: number;
  /** Prompt lengths, tokens; the second is meant to be ten times the first. */
  readonly contexts: readonly number[];
  /** Tokens that are written in a round. */
  readonly tokens: number;
  /** Denoising steps of a picture. */
  readonly steps: number;
  /** A model folder, or a name in models/. */
  readonly model: string;
  /** Whether what is stale may be built before the app is started. */
  readonly build: boolean;
}

export const usage = `usage: npm run bench -- [--only ${sectionNames.join(',')}] [--runs N] [--json]
       [--threads N] [--contexts 64,640] [--tokens N] [--steps N] [--model NAME|DIR] [--no-build]`;

/** A mistake in the command line: printed with the usage, exit code 2. */
export class UsageError extends Error {}

/** As the engine chooses: physical cores, taken as half of more than four logical ones. */
export function defaultThreads(): number {
  const logical = availableParallelism();
  return logical > 4 ? Math.floor(logical / 2) : logical;
}

function count(text: string, name: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 1_000_000) {
    throw new UsageError(`--${name} ${text}: expected a whole number of at least 1`);
  }
  return value;
}

function chosenSections(text: string | undefined): readonly SectionName[] {
  if (text === undefined) return sectionNames;
  return text.split(',').map((name) => {
    const known = sectionNames.find((candidate) => candidate === name);
    if (known === undefined) {
      throw new UsageError(`--only ${name}: the sections are ${sectionNames.join(', ')}`);
    }
    return known;
  });
}

/** @throws UsageError naming the option. */
export function readOptions(args: readonly string[]): BenchOptions {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        only: { type: 'string' },
        json: { type: 'boolean', default: false },
        runs: { type: 'string' },
        threads: { type: 'string' },
        contexts: { type: 'string', default: '64,640' },
        tokens: { type: 'string', default: '64' },
        steps: { type: 'string', default: '40' },
        model: { type: 'string', default: 'textbind-mini' },
        'no-build': { type: 'boolean', default: false },
      },
    }));
  } catch (error) {
    throw new UsageError(reasonOf(error));
  }
  return {
    only: chosenSections(values.only),
    json: values.json,
    runs: values.runs === undefined ? null : count(values.runs, 'runs'),
    threads: values.threads === undefined ? defaultThreads() : count(values.threads, 'threads'),
    contexts: values.contexts.split(',').map((text) => count(text, 'contexts')),
    tokens: count(values.tokens, 'tokens'),
    steps: count(values.steps, 'steps'),
    model: values.model,
    build: !values['no-build'],
  };
}
