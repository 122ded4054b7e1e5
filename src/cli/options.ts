import { parseArgs, type ParseArgsConfig } from 'node:util';
import { createOutput, type Output } from './usage.ts';

/** Values of a command's options by their names. */
export type OptionValues<Text extends string, Flag extends string> = {
  readonly [Name in Text]: string | undefined;
} & { readonly [Name in Flag]: boolean };

/**
 * Reads what stands behind a command's name. Every command knows `--json` besides its own options, and its output goes
 * by it.
 * @param known `texts` take a value, `flags` none; `positionals` says whether words without an option may stand there
 * @throws TypeError of `parseArgs` for an option that the command does not know
 */
export function readOptions<const Text extends string = never, const Flag extends string = never>(
  args: readonly string[],
  known: {
    readonly texts?: readonly Text[];
    readonly flags?: readonly Flag[];
    readonly positionals?: boolean;
  },
): {
  readonly values: OptionValues<Text, Flag>;
  readonly positionals: readonly string[];
  readonly output: Output;
} {
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
