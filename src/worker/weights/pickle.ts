/**
 * A reader of the part of Python's pickle format that state dicts use. Pickle is a program; this one
 * runs nothing: an opcode or a global that is not on the list is an error. Opcodes: Python's
 * pickletools.
 */
import { WeightError } from './weight-error.ts';

/** What a pickle may refer to and how it is made here; names are `module.name`. */
export interface PickleGlobals {
  readonly call: ReadonlyMap<string, (args: readonly unknown[]) => unknown>;
  /** Globals that are only handed on, such as storage types. */
  readonly names: ReadonlySet<string>;
  readonly persistent: (id: unknown) => unknown;
}

/** A global that was named. */
export interface PickleGlobal {
  readonly global: string;
}

/** Whether a value of a pickle is a name of Python's. */
export function isGlobal(value: unknown): value is PickleGlobal {
  return (
    typeof value === 'object' &&
    value !== null &&
    'global' in value &&
    typeof value.global === 'string'
  );
}

const mark = Symbol('mark');

/**
 * What a pickle may make: a tensor takes some 40 values and 6 containers. One byte makes a container of 100 bytes or
 * more, so that ten megabytes become gigabytes.
 */
const most = { values: 5_000_000, containers: 1_000_000 } as const;

class Reader {
  readonly #bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  take(count: number): Buffer {
    if (count < 0 || this.at + count > this.#bytes.length)
      throw new WeightError('the pickle ends too early');
    this.at += count;
    return this.#bytes.subarray(this.at - count, this.at);
  }

  line(): string {
    const end = this.#bytes.indexOf(10, this.at);
    if (end < 0) throw new WeightError('the pickle ends too early');
    const text = this.#bytes.toString('utf8', this.at, end);
    this.at = end + 1;
    return text;
  }
}

/** LONG1: a little-endian two's complement number of any length; more than 53 bits is refused. */
function readLong(bytes: Buffer): number {
  let value = 0n;
  for (let index = bytes.length - 1; index >= 0; index -= 1)
    value = (value << 8n) | BigInt(bytes[index] ?? 0);
  const signed = bytes.length > 0 ? BigInt.asIntN(8 * bytes.length, value) : 0n;
  const number = Number(signed);
  if (!Number.isSafeInteger(number)) throw new WeightError(`the pickle holds the number ${signed}`);
  return number;
}

class Machine {
  readonly #stack: unknown[] = [];
  #values = 0;
  #containers = 0;
  readonly #memo = new Map<number, unknown>();
  readonly #globals: PickleGlobals;

  constructor(globals: PickleGlobals) {
    this.#globals = globals;
  }

  push(value: unknown): void {
    this.#values += 1;
    if (this.#values > most.values)
      throw new WeightError(`the pickle has over ${most.values} values`);
    this.#stack.push(value);
  }

  /** Pushes a list or a dict. */
  pushContainer(value: unknown[] | Map<unknown, unknown>): void {
    this.#containers += 1;
    if (this.#containers > most.containers)
      throw new WeightError(`the pickle has over ${most.containers} lists and dicts`);
    this.push(value);
  }

  pop(): unknown {
    if (this.#stack.length === 0) throw new WeightError('the pickle takes from an empty stack');
    return this.#stack.pop();
  }

  popToMark(): unknown[] {
    const start = this.#stack.lastIndexOf(mark);
    if (start < 0) throw new WeightError('the pickle lacks a mark');
    const values = this.#stack.splice(start);
    return values.slice(1);
  }

  setItems(values: readonly unknown[]): void {
    const target = this.#stack.at(-1);
    if (!(target instanceof Map) || values.length % 2 !== 0)
      throw new WeightError('the pickle sets items of what is no dict');
    for (let index = 0; index < values.length; index += 2)
      target.set(values[index], values[index + 1]);
  }

  append(values: readonly unknown[]): void {
    const target = this.#stack.at(-1);
    if (!Array.isArray(target)) throw new WeightError('the pickle appends to what is no list');
    for (const value of values) target.push(value);
  }

  remember(index: number): void {
    this.#memo.set(index, this.#stack.at(-1));
  }

  recall(index: number): void {
    if (!this.#memo.has(index))
      throw new WeightError(`the pickle recalls ${index}, which it has not stored`);
    this.push(this.#memo.get(index));
  }

  global(name: string): void {
    const { call, names } = this.#globals;
    if (!call.has(name) && !names.has(name))
      throw new WeightError(`the pickle refers to ${name}, which is not allowed`);
    this.push({ global: name } satisfies PickleGlobal);
  }

  reduce(): void {
    const args = this.pop();
    const called = this.pop();
    const name = isGlobal(called) ? called.global : '';
    const make = this.#globals.call.get(name);
    if (!make || !Array.isArray(args))
      throw new WeightError(`the pickle calls ${name || 'what is no function'}`);
    this.push(make(args));
  }

  persistent(): void {
    this.push(this.#globals.persistent(this.pop()));
  }

  /** The state of an object; only a dict's own attributes (`_metadata`), which nobody needs. */
  build(): void {
    this.pop();
    if (!(this.#stack.at(-1) instanceof Map))
      throw new WeightError('the pickle sets the state of what is no dict');
  }
}

type Opcode = (machine: Machine, reader: Reader) => void;

function tuple(count: number): Opcode {
  return (machine) => {
    const values = Array.from({ length: count }, () => machine.pop());
    machine.pushContainer(values.reverse());
  };
}

const opcodes: Readonly<Record<string, Opcode>> = {
  '\x80': (_, reader) => void reader.take(1), // PROTO
  '\x95': (_, reader) => void reader.take(8), // FRAME
  '}': (machine) => machine.pushContainer(new Map()),
  ']': (machine) => machine.pushContainer([]),
  ')': (machine) => machine.pushContainer([]),
  '(': (machine) => machine.push(mark),
  N: (machine) => machine.push(null),
  '\x88': (machine) => machine.push(true),
  '\x89': (machine) => machine.push(false),
  J: (machine, reader) => machine.push(reader.take(4).readInt32LE()),
  K: (machine, reader) => machine.push(reader.take(1).readUInt8()),
  M: (machine, reader) => machine.push(reader.take(2).readUInt16LE()),
  G: (machine, reader) => machine.push(reader.take(8).readDoubleBE()),
  '\x8a': (machine, reader) => machine.push(readLong(reader.take(reader.take(1).readUInt8()))),
  X: (machine, reader) => machine.push(reader.take(reader.take(4).readUInt32LE()).toString('utf8')),
  '\x8c': (machine, reader) =>
    machine.push(reader.take(reader.take(1).readUInt8()).toString('utf8')),
  t: (machine) => machine.pushContainer(machine.popToMark()),
  '\x85': tuple(1),
  '\x86': tuple(2),
  '\x87': tuple(3),
  a: (machine) => machine.append([machine.pop()]),
  e: (machine) => machine.append(machine.popToMark()),
  s: (machine) => {
    const value = machine.pop();
    machine.setItems([machine.pop(), value]);
  },
  u: (machine) => machine.setItems(machine.popToMark()),
  q: (machine, reader) => machine.remember(reader.take(1).readUInt8()),
  r: (machine, reader) => machine.remember(reader.take(4).readUInt32LE()),
  h: (machine, reader) => machine.recall(reader.take(1).readUInt8()),
  j: (machine, reader) => machine.recall(reader.take(4).readUInt32LE()),
  c: (machine, reader) => machine.global(`${reader.line()}.${reader.line()}`),
  R: (machine) => machine.reduce(),
  Q: (machine) => machine.persistent(),
  b: (machine) => machine.build(),
};

/**
 * Reads a pickle. Dicts come as Map, lists and tuples as arrays.
 *
 * @throws WeightError for an opcode or a global that is not on the list, or a malformed pickle.
 */
export function readPickle(bytes: Uint8Array, globals: PickleGlobals): unknown {
  const reader = new Reader(bytes);
  const machine = new Machine(globals);
  for (;;) {
    const code = String.fromCharCode(reader.take(1).readUInt8());
    if (code === '.') return machine.pop();
    const run = Object.hasOwn(opcodes, code) ? opcodes[code] : undefined;
    if (!run) {
      const hex = code.charCodeAt(0).toString(16);
      throw new WeightError(
        `the pickle has the opcode 0x${hex} at byte ${reader.at - 1}, which is not allowed`,
      );
    }
    run(machine, reader);
  }
}
