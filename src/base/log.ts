/** One log for main and the worker: lines of `message name=value ...` in a file that is put aside when it grows. */
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import electronLog from 'electron-log/node.js';

/** Plain figures and identifiers that stand beside a log line. Never the text of a conversation. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The part of a log that modules use; a file in the app, anything in a test. */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** When a log file begins anew, and how many old ones are kept beside it. */
export interface LogRotation {
  readonly maxBytes: number;
  readonly keptFiles: number;
}

const rotation: LogRotation = { maxBytes: 5 * 1024 * 1024, keptFiles: 5 };

/** A log that keeps nothing. */
export const silentLogger: Logger = { info() {}, warn() {}, error() {} };

/** Opens a log file; nothing is printed, since stdout is the demo's. Each process has a file of its own. */
export function openLog(file: string, { maxBytes, keptFiles }: LogRotation = rotation): Logger {
  const log = electronLog.create({ logId: file });
  log.transports.console.level = false;
  const toFile = log.transports.file;
  toFile.level = 'info';
  toFile.maxSize = maxBytes;
  toFile.resolvePathFn = () => {
    // Asked for each line: somebody may have tidied the folder away.
    mkdirSync(path.dirname(file), { recursive: true });
    return file;
  };
  toFile.archiveLogFn = () => rotateLog(file, keptFiles);
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields?: LogFields): void =>
      log[level](withoutHome(`${message} ${formatFields(fields)}`.trimEnd()));
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

/** A log is sent to others for help: the home folder, which has a person's name in it, is `~` there. */
export function withoutHome(line: string, home: string = os.homedir()): string {
  if (home.length < 2) return line;
  // In a quoted field a backslash stands twice.
  const asField = JSON.stringify(home).slice(1, -1);
  return line.replaceAll(asField, '~').replaceAll(home, '~');
}

/** The same log with fields before those of each line, such as the id of the request that it is about. */
export function withFields(log: Logger, fields: LogFields): Logger {
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, more?: LogFields): void =>
      log[level](message, { ...fields, ...more });
  return { info: write('info'), warn: write('warn'), error: write('error') };
}

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

/** Writes fields as `name=value`, in order; strings with spaces are quoted. */
export function formatFields(fields: LogFields = {}): string {
  return Object.entries(fields)
    .filter(([, value]) => value !== undefined)
    .map(([name, value]) => `${name}=${formatValue(value)}`)
    .join(' ');
}

function formatValue(value: LogFields[string]): string {
  if (typeof value !== 'string') return String(value);
  return /^[^\s"]+$/.test(value) ? value : JSON.stringify(value);
}
