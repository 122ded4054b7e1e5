/** Plain figures and identifiers that stand beside a log line. Never the text of a conversation. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** The part of a log that main's modules use; electron-log in the app, anything in a test. */
export interface Logger {
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** A log that keeps nothing. */
export const silentLogger: Logger = { info() {}, warn() {}, error() {} };

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
