import { WeightError, type GgufFile, type GgufValue } from '../weights/index.ts';

/** Reads one entry of a file's metadata; errors name file, entry and value. */
export class GgufMetadata {
  readonly file: GgufFile;

  constructor(file: GgufFile) {
    this.file = file;
  }

  #fault(key: string, expected: string): WeightError {
    const value = JSON.stringify(this.file.metadata.get(key) ?? null).slice(0, 200);
    return new WeightError(`${this.file.path}: ${key} is ${value}, expected ${expected}`);
  }

  find(key: string): GgufValue | undefined {
    return this.file.metadata.get(key);
  }

  number(key: string, fallback?: number): number {
    const value = this.find(key) ?? fallback;
    if (typeof value !== 'number' || !Number.isFinite(value)) throw this.#fault(key, 'a number');
    return value;
  }

  count(key: string, fallback?: number): number {
    const value = this.number(key, fallback);
    if (!Number.isSafeInteger(value) || value < 1) throw this.#fault(key, 'a whole number above 0');
    return value;
  }

  text(key: string, known: readonly string[]): string {
    const value = this.find(key);
    const found = known.find((each) => each === value);
    if (found === undefined) throw this.#fault(key, known.map((each) => `"${each}"`).join(' or '));
    return found;
  }

  texts(key: string): readonly string[] {
    return this.#list(key, 'a list of texts', (each) => typeof each === 'string');
  }

  numbers(key: string): readonly number[] {
    return this.#list(key, 'a list of numbers', (each) => typeof each === 'number');
  }

  #list<Each extends GgufValue>(
    key: string,
    expected: string,
    isEach: (value: GgufValue) => value is Each,
  ): readonly Each[] {
    const value = this.find(key);
    if (!Array.isArray(value) || !value.every(isEach)) throw this.#fault(key, expected);
    return value;
  }
}
