import { limitsOf } from '../shared/domain/limits.ts';
import { drawingSchema } from '../shared/domain/settings.ts';

/** A mistake in how the command was called: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
}

/** What a command prints: text for a person, or one JSON value for a program. */
export interface Output {
  readonly json: boolean;
  /** Running text, in both modes left out of JSON. */
  text(piece: string): void;
  line(text: string): void;
  /** The result: printed as JSON where that was asked for, else by `show`. */
  result(value: unknown, show: () => void): void;
  /** Progress, on stderr where that is a terminal. */
  progress(text: string): void;
}

export function createOutput(json: boolean): Output {
  const isTerminal = process.stderr.isTTY;
  return {
    json,
    text: (piece) => void (json || process.stdout.write(piece)),
    line: (text) => void (json || process.stdout.write(`${text}\n`)),
    result: (value, show) => {
      if (json) process.stdout.write(`${JSON.stringify(value)}\n`);
      else show();
    },
    progress: (text) => void (isTerminal && process.stderr.write(`\r\u001b[K${text}`)),
  };
}

/** The value of an option that must be given. */
export function required(value: string | undefined, name: string): string {
  if (value === undefined || value === '') throw new UsageError(`--${name} is missing`);
  return value;
}

/** The one word that must stand there without an option. */
export function onlyWord(positionals: readonly string[], called: string): string {
  const [word, ...more] = positionals;
  if (word === undefined || more.length > 0) throw new UsageError(`one ${called} must be given`);
  return word;
}

/** A number option within its limits. */
export function numberOption(
  value: string | undefined,
  name: string,
  limits: { readonly min: number; readonly max: number; readonly whole?: boolean },
): number | undefined {
  if (value === undefined) return undefined;
  const number = Number(value);
  const fits = value.trim() !== '' && number >= limits.min && number <= limits.max;
  if (!fits || (limits.whole !== false && !Number.isInteger(number))) {
    const kind = limits.whole === false ? 'a number' : 'a whole number';
    throw new UsageError(
      `--${name} ${value}: expected ${kind} from ${limits.min} to ${limits.max}`,
    );
  }
  return number;
}

/** Limits of the strength at which a drawing starts from a picture. */
export const strengthLimits = { min: 0.01, max: 1, whole: false } as const;

/** Limits as in the settings. */
export const drawingLimits = {
  steps: limitsOf(drawingSchema.shape.steps),
  guidance: limitsOf(drawingSchema.shape.guidance),
  seed: limitsOf(drawingSchema.shape.seed),
};

/** `768x512` as pixels. */
export function sizeOption(
  value: string | undefined,
): { readonly width: number; readonly height: number } | undefined {
  if (value === undefined) return undefined;
  const match = /^(\d{1,5})x(\d{1,5})$/.exec(value);
  if (match === null)
    throw new UsageError(`--size ${value}: expected WIDTHxHEIGHT, for instance 1024x768`);
  return { width: Number(match[1]), height: Number(match[2]) };
}
