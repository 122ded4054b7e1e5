// `npm run bench`: makes sure that npm packages are there, then hands over to main.ts on the pinned Node,
// which strips the types itself.
import { spawn } from 'node:child_process';
import path from 'node:path';
import { installPackages, pinnedNode } from '../scripts/setup/npm-packages.mjs';
import { reportFailure, root, step } from '../scripts/setup/steps.mjs';

/** Programs of their own, named first: `npm run bench -- soak --minutes 30`. */
const proofs = ['soak', 'chaos', 'kills', 'growth', 'full-size'];

/** @returns {Promise<number>} exit code */
async function main() {
  await step('npm packages', installPackages);
  const [first = '', ...rest] = process.argv.slice(2);
  const isProof = proofs.includes(first);
  const program = path.join(root, 'bench', isProof ? `${first}/main.ts` : 'main.ts');
  // `npm run bench -- train` is the section of that name.
  const chosen = first === 'train' ? ['--only', first, ...rest] : process.argv.slice(2);
  const given = isProof ? rest : chosen;
  const args = ['--disable-warning=ExperimentalWarning', program, ...given];
  const child = spawn(pinnedNode(), args, { cwd: root, stdio: 'inherit' });
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) {
    process.on(signal, () => child.kill(signal));
  }
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => resolve(code ?? 1));
  });
}

process.exitCode = await main().catch(reportFailure);
