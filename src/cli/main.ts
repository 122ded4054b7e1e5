/**
 * The `textbind` command. Exit code 0; 1 with a one-line error on stderr; 2 where the input or the call is at fault.
 */
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

/** One line, whatever was thrown. */
function describe(error: unknown): { readonly line: string; readonly exitCode: number } {
  const isParseError =
    error instanceof TypeError && String(Reflect.get(error, 'code')).startsWith('ERR_PARSE_ARGS');
  if (error instanceof UsageError || isParseError) {
    return { line: (error as Error).message, exitCode: 2 };
  }
  const studio = toStudioError(error);
  return { line: studio.message, exitCode: studio.kind === 'bad-input' ? 2 : 1 };
}

// A reader that closes the pipe early (head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});

try {
  process.exitCode = await run(process.argv.slice(2));
} catch (error) {
  const { line, exitCode } = describe(error);
  process.stderr.write(`textbind: ${line.replaceAll(/\s*\n\s*/g, ' ')}\n`);
  if (process.env['TEXTBIND_DEBUG'] !== undefined) console.error(error);
  process.exitCode = exitCode;
}
