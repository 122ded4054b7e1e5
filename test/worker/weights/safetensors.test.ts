/** Reading and writing safetensors, and what is refused. */
import { mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  numberFromHalf,
  openCheckpoint,
  readFloats,
  readSafetensorsHeader,
  readTensorBytes,
  renamed,
  toFloat32,
  toHalf,
  withPrefix,
  writeSafetensors,
} from '../../../src/worker/weights/index.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const root = temporaryFolderForAll();
let file = '';
let made = 0;

beforeEach(() => {
  made += 1;
  mkdirSync(join(root, String(made)));
  file = join(root, String(made), 'model.safetensors');
});

function floats(...values: number[]): Uint8Array {
  return new Uint8Array(Float32Array.from(values).buffer);
}

/** A file with this header and so many bytes of data. */
function writeRaw(
  header: string,
  dataBytes: number,
  headerLength = Buffer.byteLength(header),
): void {
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(headerLength));
  writeFileSync(file, Buffer.concat([prefix, Buffer.from(header), Buffer.alloc(dataBytes)]));
}

const entry = (dtype: string, shape: unknown, offsets: unknown): string =>
  JSON.stringify({ w: { dtype, shape, data_offsets: offsets } });

describe('safetensors', () => {
  it('reads what it writes, metadata too', () => {
    const tensors = [
      { name: 'b', dtype: 'uint8', shape: [3], bytes: Uint8Array.of(1, 2, 3) },
      { name: 'a', dtype: 'float32', shape: [2, 1], bytes: floats(1.5, -2) },
      { name: 'empty', dtype: 'int64', shape: [0, 4], bytes: new Uint8Array(0) },
      { name: 'scalar', dtype: 'float32', shape: [], bytes: floats(7) },
    ] as const;
    writeSafetensors(file, tensors, { format: 'pt' });
    const header = readSafetensorsHeader(file);
    expect(header.metadata).toEqual({ format: 'pt' });
    expect([...header.tensors.keys()]).toEqual(['b', 'a', 'empty', 'scalar']);
    const checkpoint = openCheckpoint(file);
    expect([...readFloats(checkpoint, 'a')]).toEqual([1.5, -2]);
    expect([...readTensorBytes(checkpoint, 'b')]).toEqual([1, 2, 3]);
    expect([...readFloats(checkpoint, 'scalar')]).toEqual([7]);
    expect(() => readFloats(checkpoint, 'c')).toThrow('lacks tensor "c"');
  });

  it.each([
    ['an empty file', () => writeFileSync(file, ''), 'are too few for a safetensors file'],
    ['a header longer than the file', () => writeRaw('{}', 0, 1000), 'does not fit a file of 10'],
    ['a huge header', () => writeRaw('{}', 0, 2 ** 40), 'is over the limit'],
    ['a header that is not JSON', () => writeRaw('{"w":', 0), 'is not JSON'],
    ['a header that is a list', () => writeRaw('[]', 0), 'is not an object'],
    [
      'an unknown type',
      () => writeRaw(entry('F8_E4M3', [2], [0, 2]), 2),
      'type F8_E4M3 is not supported',
    ],
    [
      'a name from the prototype',
      () => writeRaw(entry('constructor', [2], [0, 2]), 2),
      'is not supported',
    ],
    ['a negative size', () => writeRaw(entry('F32', [-1], [0, 4]), 4), 'is not a list of sizes'],
    ['one offset', () => writeRaw(entry('F32', [1], [0]), 4), 'are not two offsets'],
    [
      'a length that does not fit',
      () => writeRaw(entry('F32', [2], [0, 4]), 4),
      'needs 8 bytes, its offsets span 4',
    ],
    ['data outside the file', () => writeRaw(entry('F32', [2], [0, 8]), 4), '(truncated?)'],
    [
      'overlapping tensors',
      () =>
        writeRaw(
          JSON.stringify({
            a: { dtype: 'U8', shape: [4], data_offsets: [0, 4] },
            b: { dtype: 'U8', shape: [4], data_offsets: [2, 6] },
          }),
          6,
        ),
      'tensors "a" and "b" overlap',
    ],
  ])('refuses %s', (_what, write, message) => {
    write();
    expect(() => readSafetensorsHeader(file)).toThrow(message);
    expect(() => readSafetensorsHeader(file)).toThrow(file);
  });

  it('names the tensor of a file cut short', () => {
    writeSafetensors(file, [
      { name: 'w', dtype: 'float32', shape: [4], bytes: floats(1, 2, 3, 4) },
    ]);
    truncateSync(file, readFileSync(file).length - 1);
    expect(() => openCheckpoint(file)).toThrow('tensor "w" ends at byte');
  });

  it('refuses to write bytes that do not fit the shape', () => {
    const wrong = { name: 'w', dtype: 'float32', shape: [2], bytes: floats(1) } as const;
    expect(() => writeSafetensors(file, [wrong])).toThrow('tensor "w": 4 bytes given, 8 needed');
  });
});

describe('openCheckpoint', () => {
  const tensor = (name: string, value: number) =>
    ({ name, dtype: 'float32', shape: [1], bytes: floats(value) }) as const;

  it('reads shards by their index, and lays a checkpoint over another', () => {
    const folder = join(file, '..');
    writeSafetensors(join(folder, 'one.safetensors'), [tensor('a', 1)]);
    writeSafetensors(join(folder, 'two.safetensors'), [tensor('b', 2)]);
    const index = { weight_map: { a: 'one.safetensors', b: 'two.safetensors' } };
    writeFileSync(join(folder, 'model.safetensors.index.json'), JSON.stringify(index));
    mkdirSync(join(folder, 'tuned'));
    writeSafetensors(join(folder, 'tuned', 'model.safetensors'), [tensor('b', 3), tensor('c', 4)]);
    const checkpoint = openCheckpoint(folder, join(folder, 'tuned'));
    expect([...checkpoint.names()].sort()).toEqual(['a', 'b', 'c']);
    expect(readFloats(checkpoint, 'a')[0]).toBe(1);
    expect(readFloats(checkpoint, 'b')[0]).toBe(3);
    expect(checkpoint.find('b')?.location).toMatchObject({ file: 'tuned/model.safetensors' });
  });

  it.each([
    [
      { weight_map: { a: '../one.safetensors' } },
      'field "weight_map.a": the shard is not a file name',
    ],
    [{ weight_map: { a: 'missing.safetensors' } }, 'names missing.safetensors, which is missing'],
    [{}, 'field "weight_map"'],
  ])('refuses the index %j', (index, message) => {
    const path = join(file, '..', 'model.safetensors.index.json');
    writeFileSync(path, JSON.stringify(index));
    expect(() => openCheckpoint(path)).toThrow(message);
  });

  it('says where it looked', () => {
    expect(() => openCheckpoint(join(file, '..'))).toThrow('none of model.safetensors.index.json');
    expect(() => openCheckpoint(file)).toThrow('does not exist');
  });

  it('gives tensors other names', () => {
    writeSafetensors(file, [tensor('model.a', 1), tensor('other', 2)]);
    const part = withPrefix(openCheckpoint(file), 'model.');
    expect([...part.names()]).toEqual(['a']);
    expect(readFloats(part, 'a')[0]).toBe(1);
    const upper = renamed(
      part,
      (name) => name.toLowerCase(),
      (name) => name.toUpperCase(),
    );
    expect([...upper.names()]).toEqual(['A']);
    expect(readFloats(upper, 'A')[0]).toBe(1);
  });
});

describe('conversion', () => {
  it('brings every half-precision number back as it was', () => {
    const all = Uint16Array.from({ length: 65536 }, (_, half) => half);
    const numbers = toFloat32('float16', new Uint8Array(all.buffer));
    const back = toHalf(numbers);
    const wrong = all.filter(
      (half, index) => !Number.isNaN(numberFromHalf(half)) && back[index] !== half,
    );
    expect([...wrong]).toEqual([]);
  });

  it.each([
    [1 + 2 ** -11, 0x3c00], // half way: to even
    [1 + 3 * 2 ** -11, 0x3c02],
    [65519, 0x7bff],
    [65520, 0x7c00],
    [2 ** -25, 0],
    [2 ** -25 * 1.01, 1],
    [2 ** -24 * 1.5, 2],
    [-0.1, 0xae66],
    [NaN, 0x7e00],
  ])('rounds %d to half precision as IEEE 754 says', (number, half) => {
    expect(toHalf(Float32Array.of(number))[0]).toBe(half);
  });

  it('reads bfloat16 and float64, also at odd addresses', () => {
    const bytes = new Uint8Array([0, 0x80, 0x3f, 0x20, 0xc1]).subarray(1);
    expect([...toFloat32('bfloat16', bytes)]).toEqual([1, -10]);
    expect([...toFloat32('float64', new Uint8Array(Float64Array.of(0.5).buffer))]).toEqual([0.5]);
    expect(() => toFloat32('int64', bytes)).toThrow('int64 cannot be read as floating point');
  });
});
