/** PyTorch files: the same tensors as PyTorch sees, and nothing executed. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { openCheckpoint, readTensorBytes } from '../../../src/worker/weights/index.ts';
import { noPython, runPython } from '../../golden/run-python.ts';

describe.skipIf(noPython)(`PyTorch files${noPython ? `: ${noPython}` : ''}`, () => {
  let folder = '';
  beforeAll(() => {
    folder = runPython('torch_file.py');
  }, 600_000);

  it.each(['good.pt', 'wide.pt'])('%s: every tensor, in place', (name) => {
    const checkpoint = openCheckpoint(join(folder, name));
    const expected = openCheckpoint(join(folder, 'expected.safetensors'));
    expect([...checkpoint.names()].sort()).toEqual([...expected.names()].sort());
    for (const tensor of expected.names()) {
      const { dtype, shape } = expected.find(tensor) ?? {};
      expect(checkpoint.find(tensor), tensor).toMatchObject({ dtype, shape });
      expect(readTensorBytes(checkpoint, tensor), tensor).toEqual(
        readTensorBytes(expected, tensor),
      );
    }
  });

  it('finds the state dict that a script has wrapped', () => {
    const checkpoint = openCheckpoint(join(folder, 'wrapped.pt'));
    expect([...checkpoint.names()]).toEqual(['weight', 'bias']);
    expect(checkpoint.find('weight')?.shape).toEqual([2, 3]);
  });

  it('lies over a safetensors checkpoint', () => {
    const both = openCheckpoint(join(folder, 'expected.safetensors'), join(folder, 'wrapped.pt'));
    expect(both.find('weight')?.location).toMatchObject({ file: 'wrapped.pt' });
    expect(both.find('single')?.location).toMatchObject({ file: 'expected.safetensors' });
  });

  it.each([
    ['strided.pt', 'tensor "w" has strides [1, 6]; only contiguous tensors can be used in place'],
    ['legacy.pt', 'is not a zip archive'],
    ['list.pt', 'the file holds no state dict'],
    ['malice.pt', 'system, which is not allowed'],
    ['compressed.pt', 'is compressed'],
    ['big-endian.pt', 'was written on a big-endian machine'],
    ['short-storage.pt', 'bytes of a storage of 4'],
    ['no-storage.pt', 'the storage 0 is missing'],
    ['no-pickle.pt', 'data.pkl is missing'],
    ['cut-pickle.pt', 'the pickle ends too early'],
    ['new-pickle.pt', 'has the opcode 0x94'],
    ['cut.pt', 'truncated?'],
  ])('refuses %s', (name, message) => {
    const path = join(folder, name);
    expect(() => openCheckpoint(path)).toThrow(message);
    expect(() => openCheckpoint(path)).toThrow(path);
    expect(existsSync('/tmp/textbind-pickle-was-run')).toBe(false);
  });
});
