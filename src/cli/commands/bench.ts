import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { StudioError } from '../../shared/errors.ts';

const program = path.join(import.meta.dirname, '..', '..', '..', 'bench', 'bench.mjs');

export const benchCommand = {
  usage:
    'textbind bench [--only SECTION,...] [--runs N] [--threads N] [--model NAME|DIR] [--no-build] [--json]',
  /** `npm run bench` with the same options: it belongs to a checkout, an installed app has no peers to measure against. */
  async run(args: readonly string[]): Promise<number> {
    if (!existsSync(program)) {
      throw new StudioError(
        'unsupported',
        'bench needs a checkout of the project: it has the peers',
      );
    }
    const child = spawn(process.execPath, [program, ...args], { stdio: 'inherit' });
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => child.kill(signal));
    }
    return new Promise((resolve, reject) => {
      child.on('error', reject);
      child.on('exit', (code) => resolve(code ?? 1));
    });
  },
};
