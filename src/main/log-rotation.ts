import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';

/** Moves `x.log` to `x.1.log`, that to `x.2.log` and so on; the oldest goes. */
export function rotateLog(file: string, keptFiles: number): void {
  const { dir, name, ext } = path.parse(file);
  const numbered = (number: number): string => path.join(dir, `${name}.${number}${ext}`);
  rmSync(numbered(keptFiles), { force: true });
  for (let number = keptFiles - 1; number >= 1; number -= 1) {
    if (existsSync(numbered(number))) renameSync(numbered(number), numbered(number + 1));
  }
  if (existsSync(file)) renameSync(file, numbered(1));
}
