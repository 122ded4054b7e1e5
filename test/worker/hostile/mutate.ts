/** Mutations of files and of JSON values, the same for a seed. */

/** Numbers in [0, 1): mulberry32. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export type Random = () => number;

function below(random: Random, end: number): number {
  return Math.floor(random() * end);
}

function pick<T>(random: Random, list: readonly T[]): T {
  return list[below(random, list.length)]!;
}

const words = [0, 1, 0x7f, 0x80, 0xff, 0xffff, 0x7fffffff, 0x80000000, 0xffffffff] as const;

type ByteChange = (bytes: Buffer, at: number, random: Random) => Buffer;

const byteChanges: readonly ByteChange[] = [
  (bytes, at, random) => {
    bytes[at] = below(random, 256);
    return bytes;
  },
  (bytes, at, random) => {
    bytes[at]! ^= 1 << below(random, 8);
    return bytes;
  },
  (bytes, at, random) => {
    if (at + 4 <= bytes.length) bytes.writeUInt32LE(pick(random, words), at);
    return bytes;
  },
  (bytes, at, random) => {
    if (at + 4 <= bytes.length) bytes.writeUInt32BE(pick(random, words), at);
    return bytes;
  },
  (bytes, at) => bytes.subarray(0, at),
  (bytes, at) => bytes.subarray(at),
  (bytes, at, random) =>
    Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + 1 + below(random, 64))]),
  (bytes, at, random) => {
    const from = below(random, bytes.length);
    const piece = bytes.subarray(from, from + 1 + below(random, 64));
    return Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]);
  },
  (bytes, at, random) =>
    Buffer.concat([
      bytes.subarray(0, at),
      Buffer.alloc(1 + below(random, 5000), below(random, 256)),
      bytes.subarray(at),
    ]),
];

/** A copy of the bytes with one to four changes. */
export function mutateBytes(bytes: Uint8Array, random: Random): Buffer {
  let changed = Buffer.from(bytes);
  for (let left = 1 + below(random, 4); left > 0 && changed.length > 0; left -= 1) {
    changed = Buffer.from(
      pick(random, byteChanges)(changed, below(random, changed.length), random),
    );
  }
  return changed;
}

function deep(levels: number): unknown {
  let value: unknown = 1;
  for (let level = 0; level < levels; level += 1) value = level % 2 === 0 ? [value] : { a: value };
  return value;
}

const hostileValues: readonly (() => unknown)[] = [
  ...[null, true, false, 0, -1, 1, 0.5, 3, 1e5, 2 ** 31, 2 ** 53, 1e300, -1e300].map(
    (value) => () => value,
  ),
  ...['', 'x', '__proto__', 'constructor', '(a+)+$', '[', '\\', '\ud800', '../..', '/dev/zero'].map(
    (value) => () => value,
  ),
  () => 'x'.repeat(10_000),
  () => [],
  () => ({}),
  () => deep(30),
  () => deep(3000),
  () => new Array<number>(2000).fill(7),
  () => Object.fromEntries(Array.from({ length: 500 }, (_, at) => [`k${at}`, at])),
];

/** A copy of a JSON value in which one to three values are others, missing or doubled. */
export function mutateJson(value: unknown, random: Random): unknown {
  const copy = { root: structuredClone(value) };
  for (let left = 1 + below(random, 3); left > 0; left -= 1) changeOne(copy, random);
  // As a file would hold it: no holes, no NaN.
  return JSON.parse(JSON.stringify(copy.root ?? null)) as unknown;
}

function changeOne(copy: { root: unknown }, random: Random): void {
  let holder = copy as Record<string, unknown>;
  let key = 'root';
  // Walks down; stops somewhere on the way more often the deeper it is.
  for (;;) {
    const value = holder[key];
    if (typeof value !== 'object' || value === null || random() < 0.15) break;
    const keys = Object.keys(value);
    if (keys.length === 0) break;
    holder = value as Record<string, unknown>;
    key = pick(random, keys);
  }
  const how = random();
  if (how < 0.15 && key !== 'root') delete holder[key];
  else if (how < 0.25) holder[`${key}x`] = holder[key];
  else holder[key] = pick(random, hostileValues)();
}
