// Lines of the report, and small helpers of the benchmarks.
import { spawn } from 'node:child_process';
import path from 'node:path';

/** Where peers, weights and results are kept. */
export const benchDir = path.resolve(import.meta.dirname, '../../.cache/bench');

/** One measured figure, with a peer's where there is one. */
export interface Line {
  readonly name: string;
  readonly unit: string;
  readonly value: number;
  readonly peer?: { readonly name: string; readonly value: number };
  readonly remark?: string;
}

/** Tokens a second, ours and llama.cpp's. */
export const rate = (name: string, ours: number, theirs: number): Line => ({
  name,
  unit: 'tokens/s',
  value: ours,
  peer: { name: 'llama.cpp', value: theirs },
});

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? Number.NaN;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? Number.NaN)) / 2;
}

export const note = (text: string): void => void process.stdout.write(`[bench] ${text}\n`);

/** Runs a program and waits for it. @throws where its exit code is not 0 */
export function must(command: string, args: string[], options: { cwd: string }): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'inherit', 'inherit'] });
    child.on('error', reject);
    child.on('exit', (code) =>
      code === 0 ? resolve() : reject(new Error(`${command} ${args[0]} ended with code ${code}`)),
    );
  });
}

/** The line as printed: name, figure, the peer's figure and the ratio. */
export function printed({ name, unit, value, peer, remark }: Line): string {
  const digits = value < 10 ? 2 : 1;
  const own = `${name.padEnd(40)} ${value.toFixed(digits).padStart(8)} ${unit.padEnd(9)}`;
  const against =
    peer === undefined
      ? ''
      : ` ${peer.name} ${peer.value.toFixed(1)}, ratio ${(value / peer.value).toFixed(2)}`;
  return `${own}${against}${remark === undefined ? '' : ` (${remark})`}`;
}
