import { existsSync, mkdirSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { readModelFolder } from '../../src/library/model-folder.ts';
import { publishModel } from '../../src/library/publish.ts';
import { isStudioError } from '../../src/shared/errors.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A model whose textbind.json lies apart from most of its parts, as a run leaves it. */
function leftByRun() {
  const folder = temporaryFolder();
  const place = (...names: string[]): string => path.join(folder, ...names);
  for (const part of ['base/vision', 'base/language/.cache', 'base/draw/unet', 'run/model']) {
    mkdirSync(place(part), { recursive: true });
  }
  for (const file of ['vision/a', 'language/b', 'language/.cache/graph', 'draw/unet/c']) {
    writeFileSync(place('base', file), file.repeat(100));
  }
  writeFileSync(place('run/model/qformer.safetensors'), 'trained');
  const sizes = { numQueryTokens: 8, numHiddenLayers: 2, numAttentionHeads: 2 };
  const manifest = {
    name: 'left',
    licence: 'free',
    visionModel: place('base/vision'),
    processor: place('base/vision'),
    languageModel: place('base/language'),
    qformer: 'qformer.safetensors',
    imageDecoder: { base: place('base/draw'), refiner: null },
    qformerConfig: { ...sizes, hiddenSize: 64, intermediateSize: 128 },
    maxSequenceLength: 768,
  };
  writeFileSync(place('run/model/textbind.json'), JSON.stringify(manifest));
  return { place, models: place('models') };
}

const inode = (file: string): number => statSync(file).ino;

describe('publishModel', () => {
  it('makes a model of its own whose unchanged files are on the disk once', async () => {
    const { place, models } = leftByRun();
    const made = await publishModel(place('run/model'), models, 'My pictures 2');
    expect(made.folder).toBe(path.join(models, 'my-pictures-2'));
    rmSync(place('run'), { recursive: true });
    const parts = readModelFolder(made.folder);
    expect(parts.manifest.name).toBe('My pictures 2');
    expect(parts.processor).toBe(parts.visionModel);
    for (const file of ['vision/a', 'language/b']) {
      expect(inode(path.join(made.folder, file))).toBe(inode(place('base', file)));
    }
    expect(inode(path.join(parts.imageDecoder!.base, 'unet/c'))).toBe(
      inode(place('base/draw/unet/c')),
    );
    expect(existsSync(path.join(made.folder, 'language/.cache'))).toBe(false);
    expect(made.copiedBytes).toBe(0);
    rmSync(place('base'), { recursive: true });
    expect(readModelFolder(made.folder).qformer).toHaveLength(1);
  });

  it('takes a free name, and leaves nothing where a part is missing', async () => {
    const { place, models } = leftByRun();
    await publishModel(place('run/model'), models, 'x');
    await publishModel(place('run/model'), models, 'x');
    expect(readdirSync(models).sort()).toEqual(['x', 'x-2']);
    rmSync(place('base/language'), { recursive: true });
    await expect(publishModel(place('run/model'), models, 'y')).rejects.toSatisfy((error) =>
      isStudioError(error, 'model-invalid'),
    );
    expect(readdirSync(models).sort()).toEqual(['x', 'x-2']);
  });
});
