/** The last crashes, as the logs have them. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import type { Crash } from '../../shared/domain/doctor.ts';

const most = 5;
/** Of each log, from its end. */
const mostBytes = 5 * 1024 * 1024;

/** Messages of main's log that say that something died, and what of it a person should read. */
const deaths =
  /^\[([^\]]+)\] +\[(?:error|warn)\] +(worker gone|uncaught exception|unhandled rejection|child process gone|page gone)(.*)$/;

/** @param folder where main's logs lie; nothing where there are none */
export function readCrashes(folder: string): Crash[] {
  const crashes = logs(folder).flatMap((file) => crashesOf(tail(file)));
  return crashes.sort((a, b) => b.at - a.at).slice(0, most);
}

/** In the order of the lines. */
export function crashesOf(log: string): Crash[] {
  return log.split('\n').flatMap((line) => {
    const [, time = '', what = '', fields = ''] = deaths.exec(line) ?? [];
    const at = Date.parse(time);
    if (what === '' || Number.isNaN(at)) return [];
    const reason = /(?:reason|detail)=("(?:[^"\\]|\\.)*"|\S+)/.exec(fields)?.[1];
    return [{ at, what: reason === undefined ? what : `${what}: ${unquoted(reason)}` }];
  });
}

function unquoted(word: string): string {
  if (!word.startsWith('"')) return word;
  try {
    return String(JSON.parse(word)).split('\n')[0] ?? '';
  } catch {
    return word;
  }
}

function logs(folder: string): string[] {
  try {
    const names = readdirSync(folder).filter((name) => /^main(\.\d+)?\.log$/.test(name));
    return names.map((name) => path.join(folder, name));
  } catch {
    return [];
  }
}

function tail(file: string): string {
  try {
    return readFileSync(file).subarray(-mostBytes).toString('utf8');
  } catch {
    return '';
  }
}
