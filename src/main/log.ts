import electronLog from 'electron-log/main';
import { rotateLog } from './log-rotation.ts';
import { formatFields, type LogFields, type Logger } from './logger.ts';

/** A log file begins anew at this size; so many old ones are kept beside it. */
const rotation = { maxBytes: 5 * 1024 * 1024, keptFiles: 5 } as const;

/** Opens main's log. Nothing is printed: stdout is the demo's. */
export function setupLog(file: string): Logger {
  electronLog.transports.console.level = false;
  electronLog.transports.ipc.level = false;
  const toFile = electronLog.transports.file;
  toFile.level = 'info';
  toFile.maxSize = rotation.maxBytes;
  toFile.resolvePathFn = () => file;
  toFile.archiveLogFn = () => rotateLog(file, rotation.keptFiles);
  const write =
    (level: 'info' | 'warn' | 'error') =>
    (message: string, fields?: LogFields): void =>
      electronLog[level](`${message} ${formatFields(fields)}`.trimEnd());
  return { info: write('info'), warn: write('warn'), error: write('error') };
}
