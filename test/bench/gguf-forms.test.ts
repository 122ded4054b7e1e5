// llama.cpp's forms: what they are called, and that a made one holds the numbers of the file that it was made of.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ggufForms, headingOf, makeForm, peerOf, pinnedGguf } from '../../bench/gguf-forms.ts';
import {
  openGguf,
  readGgufBytes,
  readGgufTensor,
  type GgufFile,
} from '../../src/worker/weights/gguf.ts';
import { noPython, runPython } from '../golden/run-python.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

describe('names of the forms', () => {
  it('leave Q4_1 the name that programs know', () => {
    expect(ggufForms.map(peerOf)).toEqual(['llama.cpp', 'llama.cpp Q4_0', 'llama.cpp Q8_0']);
  });
  it('tell all of them apart before people', () => {
    expect(ggufForms.map(headingOf)).toEqual([
      'llama.cpp Q4_1',
      'llama.cpp Q4_0',
      'llama.cpp Q8_0',
    ]);
  });
});

describe('the package that makes them', () => {
  it("is the trainer's", () => {
    const root = path.join(import.meta.dirname, '..', '..');
    const file = path.join(root, 'resources', 'trainer', 'requirements.txt');
    expect(pinnedGguf(readFileSync(file, 'utf8'))).toMatch(/^\d+\.\d+\.\d+$/);
  });
  it('is named to one version', () => {
    expect(pinnedGguf('numpy==2.4.6\ngguf==1.2.3\n')).toBe('1.2.3');
    expect(() => pinnedGguf('gguf>=1.2.3\nnot-gguf==1.0')).toThrow('pins no gguf');
  });
});

/** The farthest that a number lies from the one it was made of, in steps of its block of 32. */
function farthest(source: Float32Array, made: Float32Array, levels: number): number {
  let most = 0;
  for (let begin = 0; begin < source.length; begin += 32) {
    const block = source.subarray(begin, begin + 32);
    const step = Math.max(...block.map(Math.abs)) / levels;
    for (const [at, value] of block.entries()) {
      most = Math.max(most, Math.abs(value - made[begin + at]!) / step);
    }
  }
  return most;
}

describe.skipIf(noPython)(`a form${noPython ? `: ${noPython}` : ''}`, () => {
  const scratch = temporaryFolderForAll();
  let source: GgufFile;
  beforeAll(() => {
    source = openGguf(path.join(runPython('gguf_q4_1.py'), 'source.gguf'));
  }, 60_000);
  const numbers = (file: GgufFile, name: string): Float32Array =>
    readGgufTensor(file, file.tensors.get(name)!);

  it.each([
    // The largest number's sign has 8 steps, the other has 7: there the last step is cut off.
    { form: 'Q4_0', levels: 8, fileType: 2, most: 1.01 },
    { form: 'Q8_0', levels: 127, fileType: 7, most: 0.51 + 127 / 2048 },
  ] as const)(
    '$form has the same numbers, rounded',
    async ({ form, levels, fileType, most }) => {
      const target = path.join(scratch, `${form}.gguf`);
      await makeForm(source.path, target, form);
      const made = openGguf(target);
      const changed = new Map(source.metadata).set('general.file_type', fileType);
      expect(made.metadata).toEqual(changed);
      expect([...made.tensors.keys()]).toEqual([...source.tensors.keys()]);
      for (const [name, tensor] of source.tensors) {
        const other = made.tensors.get(name)!;
        expect(other.shape).toEqual(tensor.shape);
        if (tensor.kind.name === 'Q4_1') {
          expect(other.kind.name).toBe(form);
          expect(farthest(numbers(source, name), numbers(made, name), levels)).toBeLessThan(most);
        } else {
          expect(other.kind.name).toBe(tensor.kind.name);
          expect(readGgufBytes(made, other)).toEqual(readGgufBytes(source, tensor));
        }
      }
    },
    60_000,
  );

  it('is not made of a file without Q4_1, nor in silence', async () => {
    const form = path.join(scratch, 'again.gguf');
    await makeForm(source.path, form, 'Q8_0');
    const again = makeForm(form, path.join(scratch, 'never.gguf'), 'Q4_0');
    await expect(again).rejects.toThrow('has no tensor of Q4_1');
  }, 60_000);
});
