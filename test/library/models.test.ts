import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { listModels, resolveModelFolder } from '../../src/library/models.ts';
import { sampleManifest as manifest } from '../support/samples.ts';
import { temporaryFolder } from '../main/support/storage.ts';

function folders() {
  const root = temporaryFolder();
  const list = [
    { folder: path.join(root, 'embedded'), embedded: true },
    { folder: path.join(root, 'own'), embedded: false },
  ];
  const put = (place: 0 | 1, name: string, text: string, parts = true): string => {
    const folder = path.join(list[place]!.folder, name);
    mkdirSync(folder, { recursive: true });
    if (parts) {
      for (const part of ['vision', 'language']) mkdirSync(path.join(folder, part));
      writeFileSync(path.join(folder, 'qformer.safetensors'), '12345');
    }
    writeFileSync(path.join(folder, 'textbind.json'), text);
    return folder;
  };
  return { list, put };
}

describe('the model library', () => {
  test.skipIf(process.platform === 'win32')('is not broken by what is strange in it', async () => {
    const { list, put } = folders();
    const own = list[1]!.folder;
    put(1, 'good', JSON.stringify(manifest));
    execFileSync('mkfifo', [path.join(own, 'a-pipe')]);
    const server = createServer().listen(path.join(own, 'a-socket'));
    symlinkSync(own, path.join(own, 'a-loop'));
    symlinkSync(path.join(own, 'gone'), path.join(own, 'a-link-to-nothing'));
    symlinkSync(path.join(own, 'round'), path.join(own, 'round'));
    mkdirSync(path.join(own, 'piped'));
    execFileSync('mkfifo', [path.join(own, 'piped', 'textbind.json')]);
    mkdirSync(path.join(own, 'folded', 'textbind.json'), { recursive: true });
    const locked = path.join(put(1, 'locked', JSON.stringify(manifest)), 'inside');
    mkdirSync(locked);
    chmodSync(locked, 0o000);
    execFileSync('mkfifo', [path.join(own, 'good', 'a-pipe')]);
    symlinkSync(own, path.join(own, 'good', 'a-loop'));
    const models = await listModels(list);
    server.close();
    chmodSync(locked, 0o700);
    expect(models.map(({ name, fault }) => [name, fault === null])).toEqual([
      ['folded', false],
      ['Tiny', true],
      ['Tiny', true],
      ['piped', false],
    ]);
    expect(models.at(-1)?.fault).toMatch(/is not a file/);
  });

  test('lists what is there with its size; broken ones with their fault', async () => {
    const { list, put } = folders();
    const good = put(0, 'tiny', JSON.stringify(manifest));
    put(1, 'a-bad-field', JSON.stringify({ ...manifest, maxSequenceLength: 'long' }));
    put(1, 'b-bad-json', '{');
    put(1, 'c-missing-part', JSON.stringify(manifest), false);
    mkdirSync(path.join(list[1]!.folder, 'd-no-model'));
    writeFileSync(path.join(list[1]!.folder, 'e-file'), '');
    const models = await listModels(list);
    expect(models[0]).toEqual({
      name: 'Tiny',
      folder: good,
      licence: 'MIT',
      canDraw: false,
      bytesOnDisk: 5 + JSON.stringify(manifest).length,
      embedded: true,
      fault: null,
    });
    expect(models.slice(1).map(({ name, fault }) => [name, fault])).toEqual([
      ['a-bad-field', expect.stringContaining('textbind.json: field "maxSequenceLength"')],
      ['b-bad-json', expect.stringContaining('textbind.json')],
      [
        'Tiny',
        expect.stringMatching(/textbind\.json: field "visionModel": .*vision does not exist/),
      ],
    ]);
  });

  test.skipIf(process.platform === 'win32')(
    'counts what lies elsewhere too, each file once',
    async () => {
      const { list, put } = folders();
      const elsewhere = temporaryFolder();
      mkdirSync(path.join(elsewhere, 'blobs'));
      writeFileSync(path.join(elsewhere, 'blobs', 'abc'), Buffer.alloc(1000));
      // As in the Hugging Face cache: a name is a link to a blob.
      mkdirSync(path.join(elsewhere, 'language'));
      symlinkSync('../blobs/abc', path.join(elsewhere, 'language', 'model.safetensors'));
      writeFileSync(path.join(elsewhere, 'language', 'config.json'), '{}');
      const text = JSON.stringify({
        ...manifest,
        languageModel: path.join(elsewhere, 'language'),
        imageDecoder: { base: path.join(elsewhere, 'language'), refiner: null },
      });
      put(0, 'referring', text);
      const [model] = await listModels(list);
      expect(model).toMatchObject({ fault: null, bytesOnDisk: 1000 + 2 + 5 + text.length });
    },
  );

  test('folders that are not there hold no models', async () => {
    expect(await listModels(folders().list)).toEqual([]);
  });

  test('a choice is a path, a name in any folder, or the embedded model', () => {
    const { list, put } = folders();
    const own = put(1, 'mine', JSON.stringify(manifest));
    expect(resolveModelFolder(list, 'mine')).toBe(own);
    expect(resolveModelFolder(list, own)).toBe(own);
    expect(resolveModelFolder(list, null)).toBe(path.join(list[0]!.folder, 'textbind-mini'));
    expect(resolveModelFolder(list, 'gone')).toBe(path.join(list[0]!.folder, 'gone'));
  });
});
