/** GGUF files: every kind of block to the last bit, whole networks and vocabularies, and what is refused. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { writeGguf } from '../../../bench/full-size/gguf-file.ts';
import { writeGgufConfig, writeGgufWeights } from '../../../src/worker/conversion/gguf-model.ts';
import { quantiseModel } from '../../../src/worker/conversion/quantise-model.ts';
import { openLanguageTokenizer } from '../../../src/worker/inputs/tokenizer.ts';
import { LanguageModel } from '../../../src/worker/pipelines/language/language-model.ts';
import { blockKinds, readBlocks } from '../../../src/worker/weights/gguf-blocks.ts';
import { openCheckpoint, openGguf, readFloats } from '../../../src/worker/weights/index.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { relativeError } from '../networks/llama/support.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

interface Texts {
  readonly texts: readonly string[];
  readonly ids: readonly number[];
  readonly 'byte-level': readonly (readonly number[])[];
  readonly pieces: readonly (readonly number[])[];
}

describe.skipIf(noPython)(`GGUF${noPython ? `: ${noPython}` : ''}`, () => {
  const scratch = temporaryFolderForAll();
  let folder = '';
  let said: Texts;
  beforeAll(() => {
    folder = runPython('gguf_files.py');
    said = JSON.parse(readFileSync(join(folder, 'texts.json'), 'utf8')) as Texts;
  }, 300_000);

  it('reads every kind of block as llama.cpp does, to the last bit', () => {
    const expected = openCheckpoint(join(folder, 'blocks.safetensors'));
    const names = [...expected.names()];
    expect(names).toHaveLength(10);
    for (const name of names) {
      const kind = [...blockKinds.values()].find((each) => each.name === name)!;
      const numbers = readBlocks(kind, readFileSync(join(folder, `${name}.blocks`)));
      expect(Buffer.from(numbers.buffer).equals(bytesOf(readFloats(expected, name))), name).toBe(
        true,
      );
    }
  });

  it.each(['byte-level', 'pieces'] as const)('%s: network and vocabulary', async (name) => {
    const file = join(folder, `${name}.gguf`);
    const target = join(scratch, name);
    const read = writeGgufConfig(file, target);
    await writeGgufWeights(read, target);
    const tokenizer = await openLanguageTokenizer(target);
    expect(said.texts.map((text) => tokenizer.encode(text))).toEqual(said[name]);
    expect([tokenizer.beginToken, tokenizer.endOfTurnToken]).toEqual(['<s>', '</s>']);
    const model = await LanguageModel.open(target, { providers: ['cpu'] });
    const logits = await model.score(await model.embed([...said.ids]));
    await model.release();
    const expected = readFloats(openCheckpoint(join(folder, 'logits.safetensors')), name);
    // Written in half precision.
    expect(relativeError(logits, expected)).toBeLessThan(3e-3);

    const few = join(scratch, `${name}-int8`);
    await quantiseModel(target, few, { bits: 8, checkpoint: read.checkpoint });
    const quantised = await LanguageModel.open(few, { providers: ['cpu'] });
    const rounded = await quantised.score(await quantised.embed([...said.ids]));
    await quantised.release();
    expect(relativeError(rounded, expected)).toBeLessThan(0.1);
  });

  it('refuses by name what it does not know', () => {
    const good = readFileSync(join(folder, 'byte-level.gguf'));
    const changed = (from: string, to: string, occurrence = 0): string => {
      const bytes = Buffer.from(good);
      let at = bytes.indexOf(from);
      for (let index = 0; index < occurrence; index += 1) at = bytes.indexOf(from, at + 1);
      bytes.write(to, at);
      const file = join(scratch, 'changed.gguf');
      writeFileSync(file, bytes);
      return file;
    };
    const write = (file: string) => writeGgufConfig(file, join(scratch, 'refused'));
    expect(() => write(changed('smollm', 'smallm'))).toThrow(
      /changed\.gguf: tokenizer\.ggml\.pre is "smallm", expected "gpt-2" or/,
    );
    expect(() => write(changed('attn_q.', 'attn_z.'))).toThrow(
      /tensor "blk\.\d\.attn_z\.weight" is not supported/,
    );
    expect(() => write(changed('GGUF', 'GGML'))).toThrow(/is not a GGUF file/);
    const mamba = changed('llama', 'mamba', 0);
    expect(() => write(mamba)).toThrow(/general\.architecture is "mamba", expected "llama"/);
    const cut = join(scratch, 'cut.gguf');
    writeFileSync(cut, good.subarray(0, good.length - 100));
    expect(() => openGguf(cut)).toThrow(/cut\.gguf: tensor ".*" lies outside the file/);
    writeFileSync(cut, good.subarray(0, 300));
    expect(() => openGguf(cut)).toThrow(/the header ends in the middle/);
  });
});

describe('a GGUF file whose blocks ours hold exactly', () => {
  const scratch = temporaryFolderForAll();

  it('keeps its numbers, through the order of rows and look-up and head', async () => {
    const file = join(scratch, 'model.gguf');
    const shape = { layers: 2, hidden: 128, inner: 96, heads: 4, vocabulary: 400, context: 64 };
    writeGguf(file, shape);
    const parts = join(scratch, 'parts');
    const { checkpoint, keptBits } = writeGgufConfig(file, parts);
    expect(keptBits).toBe(4);
    const [kept, half] = [join(scratch, 'kept'), join(scratch, 'half')];
    await quantiseModel(parts, kept, { bits: 4, checkpoint });
    await writeGgufWeights(writeGgufConfig(file, half), half);
    const ids = [3, 1, 41, 59, 26, 5, 35, 8, 97];
    const logitsOf = async (folder: string): Promise<Float32Array> => {
      const options = { providers: ['cpu'], graph: { accuracyLevel: 1 } } as const;
      const model = await LanguageModel.open(folder, options);
      const logits = await model.score(await model.embed(ids));
      await model.release();
      return logits;
    };
    // What was written in half precision is rounded; the blocks are not.
    expect(relativeError(await logitsOf(kept), await logitsOf(half))).toBeLessThan(1e-3);
  });

  it('is not taken for one where a single matrix is of another kind', () => {
    const file = join(scratch, 'other.gguf');
    const shape = { layers: 1, hidden: 64, inner: 96, heads: 4, vocabulary: 400, context: 64 };
    writeGguf(file, shape);
    const bytes = readFileSync(file);
    const name = 'blk.0.ffn_up.weight';
    const type = bytes.indexOf(name) + name.length + 4 + 2 * 8;
    expect(bytes.readUInt32LE(type)).toBe(2);
    // Q5_0. Its blocks are longer, so that it would reach into the next matrix; that is not looked at here.
    bytes.writeUInt32LE(6, type);
    writeFileSync(file, bytes);
    expect(writeGgufConfig(file, join(scratch, 'none')).keptBits).toBe(undefined);
  });
});

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}
