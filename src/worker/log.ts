import { existsSync, renameSync, rmSync } from 'node:fs';
import path from 'node:path';
import electronLog from 'electron-log/node.js';
import type { WorkerLog } from './server.ts';

/** A log file is put aside at this size, bytes, and so many old ones are kept. */
const maxBytes = 5 * 1024 * 1024;
const keptFiles = 5;

/** The worker's log: lines of `message {details}` in `file`; silent where no file is given. */
export function createWorkerLog(file: string | undefined): WorkerLog {
  const logger = electronLog.create({ logId: 'worker' });
  logger.transports.console.level = false;
  if (file === undefined || file === '') {
    logger.transports.file.level = false;
  } else {
    logger.transports.file.resolvePathFn = () => file;
    logger.transports.file.maxSize = maxBytes;
    logger.transports.file.archiveLogFn = () => rotate(file);
    logger.transports.file.level = 'info';
  }
  return {
    info: (message, details) => logger.info(line(message, details)),
    warn: (message, details) => logger.warn(line(message, details)),
    error: (message, details) => logger.error(line(message, details)),
  };
}

/** `worker.log` -> `worker.1.log` -> `worker.2.log` ...; the oldest goes. */
function rotate(file: string): void {
  const { dir, name, ext } = path.parse(file);
  const aged = (age: number): string => (age === 0 ? file : path.join(dir, `${name}.${age}${ext}`));
  rmSync(aged(keptFiles), { force: true });
  for (let age = keptFiles - 1; age >= 0; age--) {
    if (existsSync(aged(age))) renameSync(aged(age), aged(age + 1));
  }
}

function line(message: string, details: Readonly<Record<string, unknown>> | undefined): string {
  return details === undefined ? message : `${message} ${JSON.stringify(details)}`;
}
