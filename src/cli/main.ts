/** The `textbind` command. Exit code 0; 1 with a one-line error on stderr; 2 where the input or the call is at fault. */
import './engine-environment.ts';
import { answerProbe, probeApart } from './provider-probe.ts';
import { runCommandLine } from './run.ts';

// A reader that closes the pipe early (head) is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
});

const [, program = '', ...args] = process.argv;
if (!(await answerProbe(args))) {
  probeApart(program);
  process.exitCode = await runCommandLine(args);
}
