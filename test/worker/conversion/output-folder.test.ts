import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import {
  createStaged,
  discard,
  planOutput,
  putInPlace,
} from '../../../src/worker/conversion/output-folder.ts';
import { sampleManifest as manifest } from '../../support/samples.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

let folder = '';
beforeEach(() => {
  folder = temporaryFolder();
});

function make(files: Readonly<Record<string, string>>): void {
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), text);
  }
}
const model = (name: string): Record<string, string> => ({
  [`${name}/textbind.json`]: JSON.stringify(manifest),
  [`${name}/language/weights`]: 'old',
});
const plan = (out: string, sources: readonly string[] = [], replace = true) =>
  planOutput(
    join(folder, out),
    sources.map((source) => join(folder, source)),
    { replace },
  );

describe('a target that must not be replaced', () => {
  it.each([
    ['a folder of something else', { 'out/thesis.txt': 'x' }, /is not a model/],
    ['a file', { out: 'x' }, /is not a folder/],
    ['a textbind.json of nobody', { 'out/textbind.json': '{}' }, /is not a model's/],
    ['a textbind.json that is no JSON', { 'out/textbind.json': 'x' }, /is not JSON/],
    ['a model with a file of its owner', { ...model('out'), 'out/notes.txt': 'x' }, /notes\.txt/],
  ])('%s', (_, files, message) => {
    make(files);
    expect(() => plan('out')).toThrow(message);
  });

  it('a model, unless it was asked for', () => {
    make(model('out'));
    expect(() => plan('out', [], false)).toThrow(/--overwrite replaces a model/);
    expect(plan('out').target).toBe(join(folder, 'out'));
  });

  it('a link to nowhere', () => {
    symlinkSync(join(folder, 'gone'), join(folder, 'out'));
    expect(() => plan('out')).toThrow(/is a link to what does not exist/);
  });
});

describe('a target that shares files with a source', () => {
  beforeEach(() => make({ ...model('out'), 'other/weights': 'x' }));

  it.each([
    ['itself', 'out', /is the same folder/],
    ['a part in it', 'out/language', /lies in it/],
    ['a file in it', 'out/language/weights', /lies in it/],
  ])('%s', (_, source, message) => {
    expect(() => plan('out', [source])).toThrow(message);
  });

  it('a folder that holds it', () => {
    expect(() => plan('other/deep/out', ['other'])).toThrow(/holds it/);
  });

  it('through a link at the target, at the source, above it, or inside it', () => {
    symlinkSync(join(folder, 'out'), join(folder, 'linked'));
    expect(() => plan('linked', ['out'])).toThrow(/is the same folder/);
    expect(() => plan('out', ['linked'])).toThrow(/is the same folder/);
    expect(() => plan('out', ['linked/language'])).toThrow(/lies in it/);
    mkdirSync(join(folder, 'cache/snapshot'), { recursive: true });
    symlinkSync(join(folder, 'out/language/weights'), join(folder, 'cache/snapshot/model.bin'));
    expect(() => plan('out', ['cache'])).toThrow(/model\.bin is a link to .*weights in it/);
  });

  it('not a neighbour whose name begins alike', () => {
    make({ 'out-2/weights': 'x' });
    expect(plan('out', ['out-2', 'other']).target).toBe(join(folder, 'out'));
  });
});

describe('writing', () => {
  it('puts the new one in place and leaves nothing beside it', () => {
    make({ ...model('out'), 'out.part/mine': 'keep' });
    const folders = plan('out');
    createStaged(folders);
    writeFileSync(join(folders.staged, 'textbind.json'), 'new');
    expect(readFileSync(join(folder, 'out/language/weights'), 'utf8')).toBe('old');
    putInPlace(folders);
    expect(readdirSync(folder).sort()).toEqual(['out', 'out.part']);
    expect(readdirSync(join(folder, 'out'))).toEqual(['textbind.json']);
    // A folder of that name is somebody's: it was once deleted unasked.
    expect(readFileSync(join(folder, 'out.part/mine'), 'utf8')).toBe('keep');
  });

  it('gives back what stood there, wherever it was ended', () => {
    for (const ended of ['before', 'written', 'moved'] as const) {
      make(model('out'));
      const folders = plan('out');
      createStaged(folders);
      if (ended === 'moved') {
        rmSync(folders.staged, { recursive: true });
        // As if the process had died between the two renames.
        mkdirSync(folders.replaced);
        writeFileSync(join(folders.replaced, 'textbind.json'), 'old');
        rmSync(join(folder, 'out'), { recursive: true });
      }
      discard(folders);
      expect(existsSync(join(folder, 'out/textbind.json')), ended).toBe(true);
      expect(readdirSync(folder), ended).toEqual(['out']);
    }
  });
});
