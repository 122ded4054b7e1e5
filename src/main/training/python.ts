/** Pythons of this machine, and what pip says while it works. */
import { execFile } from 'node:child_process';

/** The trainer's own least: `requires-python` of its pyproject.toml. */
export const leastPython = [3, 11] as const;

export interface FoundPython {
  readonly python: string;
  readonly version: string;
}

const isWindows = process.platform === 'win32';
const newest = 15;
const usualNames: readonly string[] = isWindows
  ? ['python', 'py']
  : [
      'python3',
      ...Array.from(
        { length: newest - leastPython[1] + 1 },
        (_, index) => `python3.${newest - index}`,
      ),
      'python',
      // A program that is started by double-click has no path of a terminal on a Mac.
      '/opt/homebrew/bin/python3',
      '/usr/local/bin/python3',
    ];

/** Interpreters that are new enough, each once, as they name themselves. */
export async function findPythons(): Promise<FoundPython[]> {
  const found = await Promise.all(usualNames.map((name) => askPython(name)));
  const good = found.flatMap((each) => (each !== null && isNewEnough(each.version) ? [each] : []));
  const byPath = new Map(good.map((each) => [each.python, each]));
  return [...byPath.values()];
}

/** What an interpreter says of itself; null where it is none. */
export function askPython(name: string): Promise<FoundPython | null> {
  const script = 'import sys, platform; print(sys.executable); print(platform.python_version())';
  return new Promise((resolve) => {
    execFile(name, ['-c', script], { timeout: 20_000, windowsHide: true }, (error, said) => {
      const [python, version] = said.trim().split(/\r?\n/);
      if (error !== null || python === undefined || version === undefined) resolve(null);
      else resolve({ python, version });
    });
  });
}

/** Whether an interpreter starts, and its pip. */
export function startsPip(python: string): Promise<boolean> {
  return new Promise((resolve) => {
    const options = { timeout: 60_000, windowsHide: true };
    execFile(python, ['-m', 'pip', '--version'], options, (error) => resolve(error === null));
  });
}

export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return major > leastPython[0] || (major === leastPython[0] && minor >= leastPython[1]);
}

/** What a line of pip's means for a person; null: nothing new. */
export function wordsOfPip(
  line: string,
  now: string,
): { readonly words: string; readonly fraction: number | null } | null {
  const progress = /^Progress (\d+) of (\d+)$/.exec(line.trim());
  if (progress !== null) {
    const [done, total] = [Number(progress[1]), Number(progress[2])];
    return total > 0 ? { words: now, fraction: Math.min(1, done / total) } : null;
  }
  const fetched = /^\s*Downloading (?:\S*\/)?([A-Za-z0-9_.]+?)-\d\S* \(([^)]+)\)/.exec(line);
  if (fetched !== null) return { words: `Fetching ${fetched[1]}, ${fetched[2]}`, fraction: 0 };
  const looked = /^Collecting ([A-Za-z0-9_.-]+)/.exec(line);
  if (looked !== null) return { words: `Looking for ${looked[1]}`, fraction: null };
  if (line.startsWith('Installing collected packages')) {
    return { words: 'Unpacking the packages', fraction: null };
  }
  return null;
}

/** Why pip failed, and what to do, in words. */
export function whyPipFailed(text: string): string {
  if (
    /NewConnectionError|Name or service not known|getaddrinfo|ConnectTimeout|ProxyError/.test(text)
  ) {
    return 'The package index could not be reached. Is this machine on the network? Packages come from pypi.org, or from the index that pip is configured for.';
  }
  if (/No space left|ENOSPC/.test(text)) {
    return 'The disk is full. PyTorch and its packages take 2 to 8 GB, depending on the build.';
  }
  const missing = /No matching distribution found for (\S+)/.exec(text);
  if (missing !== null) {
    return `The package index has no ${missing[1]} for this Python. Another version of Python may have it.`;
  }
  const errors = text.split('\n').filter((line) => /error/i.test(line));
  return `The packages could not be installed: ${errors.at(-1)?.trim() ?? text.trim().split('\n').at(-1) ?? ''}`;
}

/** Why no environment could be made. */
export function whyNoEnvironment(text: string): string {
  return /ensurepip|python3?[\d.]*-venv/.test(text)
    ? 'This Python cannot make environments: on Debian and Ubuntu the package python3-venv is missing. Install it, then try again.'
    : `No environment could be made: ${text.trim().split('\n').at(-1) ?? ''}`;
}
