import type { ErrorKind } from '../shared/errors.ts';
import { toStudioError } from '../worker/pipelines/model-errors.ts';
import { commands, usage } from './commands.ts';
import { UsageError } from './usage.ts';

async function run(args: readonly string[]): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === 'help' || name === '--help' || name === '-h') {
    process.stdout.write(usage());
    return name === undefined ? 2 : 0;
  }
  const command = commands[name];
  if (command === undefined)
    throw new UsageError(`there is no command "${name}"; see textbind help`);
  if (rest.includes('--help') || rest.includes('-h')) {
    process.stdout.write(`${command.usage}\n`);
    return 0;
  }
  return (await command.run(rest)) ?? 0;
}

/** What the person who called can mend by calling otherwise. */
const badInput: ReadonlySet<ErrorKind> = new Set(['bad-input', 'too-long']);

/** What Node says of options that it does not know. */
function isParseError(error: unknown): error is TypeError {
  return (
    error instanceof TypeError && String(Reflect.get(error, 'code')).startsWith('ERR_PARSE_ARGS')
  );
}

/** One line, whatever was thrown. */
function describe(error: unknown): { readonly line: string; readonly exitCode: number } {
  if (error instanceof UsageError || isParseError(error)) {
    return { line: error.message, exitCode: 2 };
  }
  const studio = toStudioError(error);
  return { line: studio.message, exitCode: badInput.has(studio.kind) ? 2 : 1 };
}

/**
 * Runs one command line. What goes wrong becomes one line on stderr.
 * @returns the exit code: 0; 1 on failure; 2 where the input or the call is at fault
 */
export async function runCommandLine(args: readonly string[]): Promise<number> {
  try {
    return await run(args);
  } catch (error) {
    const { line, exitCode } = describe(error);
    process.stderr.write(`textbind: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`);
    if (process.env['TEXTBIND_DEBUG'] !== undefined) console.error(error);
    return exitCode;
  }
}
