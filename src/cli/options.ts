import { parseArgs, type ParseArgsConfig } from 'node:util';
import { createOutput, type Output } from './usage.ts';

/** Values of a command's options by their names. */
export type OptionValues<Text extends string, Flag extends string> = {
  readonly [Name in Text]: string | undefined;
} & { readonly [Name in Flag]: boolean };

/** The options that a command knows. */
export interface KnownOptions<Text extends string, Flag extends string> {
  /** They take a value. */
  readonly texts?: readonly Text[];
  /** They take none. */
  readonly flags?: readonly Flag[];
  /** Whether words without an option may stand there. */
  readonly positionals?: boolean;
}

/** What was given. */
export interface GivenOptions<Text extends string, Flag extends string> {
  readonly values: OptionValues<Text, Flag>;
  readonly positionals: readonly string[];
  readonly output: Output;
}

/** A command: its line of usage, and what it does with the arguments behind its name. */
export interface Command {
  readonly usage: string;
  /** Gives the exit code where it is not 0. */
  run(args: readonly string[]): Promise<number | void>;
}

/** A command that is given its options as they were read. */
export function command<const Text extends string = never, const Flag extends string = never>({
  usage,
  run,
  ...known
}: KnownOptions<Text, Flag> & {
  readonly usage: string;
  readonly run: (given: GivenOptions<Text, Flag>) => Promise<number | void>;
}): Command {
  return { usage, run: async (args) => run(readOptions(args, known)) };
}

/**
 * Reads what stands behind a command's name. Every command knows `--json` besides its own options, and its output goes
 * by it.
 * @throws TypeError of `parseArgs` for an option that the command does not know
 */
function readOptions<Text extends string, Flag extends string>(
  args: readonly string[],
  known: KnownOptions<Text, Flag>,
): GivenOptions<Text, Flag> {
  const { texts = [], flags = [], positionals: allowPositionals = false } = known;
  const options: NonNullable<ParseArgsConfig['options']> = { json: { type: 'boolean' } };
  for (const name of texts) options[name] = { type: 'string' };
  for (const name of flags) options[name] = { type: 'boolean', default: false };
  const { values, positionals } = parseArgs({ args: [...args], allowPositionals, options });
  return {
    // parseArgs was told exactly these names and kinds, which a record of them cannot say.
    values: values as OptionValues<Text, Flag>,
    positionals,
    output: createOutput(values['json'] === true),
  };
}
