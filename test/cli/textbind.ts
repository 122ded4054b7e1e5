import { vi } from 'vitest';
import { runCommandLine } from '../../src/cli/run.ts';

/** Runs a command line in this process. */
export async function textbind(...args: string[]) {
  const written = { out: '', err: '' };
  const capture = (to: 'out' | 'err') => (piece: string | Uint8Array) => {
    written[to] += String(piece);
    return true;
  };
  const out = vi.spyOn(process.stdout, 'write').mockImplementation(capture('out'));
  const err = vi.spyOn(process.stderr, 'write').mockImplementation(capture('err'));
  try {
    const code = await runCommandLine(args);
    return { code, stdout: () => written.out, stderr: () => written.err };
  } finally {
    out.mockRestore();
    err.mockRestore();
  }
}
