// `npm run -s textbind -- ARGUMENTS`: the command line on the pinned Node, straight from src/cli (Node
// strips the types), in the folder where the person stands: npm itself changes to the project's root.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { pinnedNode } from './setup/npm-packages.mjs';
import { root } from './setup/steps.mjs';

const child = spawn(
  pinnedNode(),
  [
    '--disable-warning=ExperimentalWarning',
    path.join(root, 'src/cli/main.ts'),
    ...process.argv.slice(2),
  ],
  { cwd: process.env['INIT_CWD'] ?? process.cwd(), stdio: 'inherit' },
);
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
  process.on(signal, () => child.kill(signal));
}
child.on('error', (error) => {
  process.stderr.write(`textbind: ${error.message}\n`);
  process.exitCode = 1;
});
child.on('exit', (code, signal) => {
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 1);
});
