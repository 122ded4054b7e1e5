/** Blocks of a GGUF file laid out as ours: the same numbers, all of them. */
import { describe, expect, it } from 'vitest';
import { RandomNumbers } from '../../../src/worker/sampling/random.ts';
import { blockKinds, readBlocks, type BlockKind } from '../../../src/worker/weights/gguf-blocks.ts';
import { dequantiseMatrix, exactBits, exactBlocks } from '../../../src/worker/weights/index.ts';

const random = new RandomNumbers(3);

function kindOf(name: string): BlockKind {
  const kind = [...blockKinds.values()].find((each) => each.name === name);
  if (kind === undefined) throw new Error(`there is no ${name}`);
  return kind;
}

/** Blocks of random codes with scales of either sign, some of them zero. */
function randomBlocks(kind: BlockKind, count: number): Uint8Array {
  const bytes = Uint8Array.from({ length: count * kind.bytes }, () => random.bits() & 255);
  for (let at = 0; at < bytes.length; at += kind.bytes) {
    const scale = random.bits();
    bytes[at] = scale & 0xff;
    bytes[at + 1] = scale % 7 === 0 ? 0 : (scale >> 8) & 0xbf;
    if (scale % 7 === 0) bytes[at] = 0;
  }
  return bytes;
}

describe('exactBlocks', () => {
  const cases = [
    ['Q4_0', 4],
    ['Q4_0', 8],
    ['Q8_0', 8],
  ] as const;
  it.each(cases)('%s in %i bits, also where a row has an odd number of blocks', (name, bits) => {
    const kind = kindOf(name);
    for (const [n, k] of [
      [6, 96],
      [5, 128],
      [1, 32],
    ] as const) {
      const bytes = randomBlocks(kind, (n * k) / 32);
      const matrix = exactBlocks(kind, bytes, [n, k], bits)!;
      expect(matrix).toMatchObject({ n, k, bits, blockSize: 32 });
      // 0 and -0 are the same number.
      const plain = (values: Float32Array): number[] => Array.from(values, (value) => value + 0);
      expect(plain(dequantiseMatrix(matrix))).toEqual(plain(readBlocks(kind, bytes)));
    }
  });

  it('holds no other kind, and not 8 bits in 4', () => {
    expect([...blockKinds.values()].filter((kind) => exactBits(kind)).length).toBe(2);
    expect(exactBlocks(kindOf('Q8_0'), randomBlocks(kindOf('Q8_0'), 2), [1, 64], 4)).toBe(
      undefined,
    );
    expect(exactBlocks(kindOf('Q4_1'), randomBlocks(kindOf('Q4_1'), 2), [1, 64], 8)).toBe(
      undefined,
    );
  });
});
