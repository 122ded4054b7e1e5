import { spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { importModel, type ImportRequest } from '../../../src/worker/conversion/import-model.ts';
import { RandomNumbers } from '../../../src/worker/sampling/random.ts';
import {
  openCheckpoint,
  readTensorBytes,
  writeSafetensors,
  type TensorToWrite,
} from '../../../src/worker/weights/index.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const folder = temporaryFolderForAll();
let parts = '';
let count = 0;
const fresh = (): string => join(folder, `out-${(count += 1)}`);

interface Changes {
  readonly sources?: Partial<ImportRequest['sources']>;
  readonly storage?: ImportRequest['storage'];
  readonly out?: string;
  readonly replace?: boolean;
}

function request({ sources, storage = 'refer', out = fresh(), replace = false }: Changes = {}) {
  return {
    sources: {
      vision: join(parts, 'vision'),
      language: join(parts, 'language'),
      qformer: join(parts, 'qformer.safetensors'),
      checkpoint: null,
      processor: null,
      base: join(parts, 'image-decoder'),
      refiner: null,
      ...sources,
    },
    storage,
    out,
    replace,
    manifest: {
      name: 'Tiny',
      licence: 'none',
      qformerConfig: JSON.parse(readFileSync(join(parts, 'qformer-config.json'), 'utf8')) as never,
      maxPicturesPerReply: 4,
      maxSequenceLength: 128,
    },
    guidance: 5,
  } satisfies ImportRequest;
}

/** A copy of a part with its weights changed. */
function changed(part: string, change: (tensors: TensorToWrite[]) => TensorToWrite[]): string {
  const to = join(folder, `part-${(count += 1)}`);
  cpSync(join(parts, part), to, { recursive: true });
  rewrite(join(to, 'model.safetensors'), change);
  return to;
}

function rewrite(file: string, change: (tensors: TensorToWrite[]) => TensorToWrite[]): void {
  const checkpoint = openCheckpoint(file);
  const tensors = [...checkpoint.names()].map((name) => {
    const { dtype, shape } = checkpoint.find(name)!;
    return { name, dtype, shape, bytes: readTensorBytes(checkpoint, name) };
  });
  writeSafetensors(file, change(tensors));
}

/** As the Hugging Face cache keeps a folder: files without endings, and links to them by name. */
function asCache(part: string): string {
  const cache = join(folder, `cache-${(count += 1)}`);
  const look = (from: string, to: string): void => {
    mkdirSync(to, { recursive: true });
    for (const entry of readdirSync(from, { withFileTypes: true })) {
      if (entry.isDirectory()) {
        look(join(from, entry.name), join(to, entry.name));
        continue;
      }
      const blob = join(cache, 'blobs', `blob${(count += 1)}`);
      cpSync(join(from, entry.name), blob);
      symlinkSync(blob, join(to, entry.name));
    }
  };
  mkdirSync(join(cache, 'blobs'), { recursive: true });
  look(join(parts, part), join(cache, 'snapshot'));
  return join(cache, 'snapshot');
}

const nothingBeside = () => readdirSync(folder).filter((name) => name.startsWith('.'));

describe.skipIf(noPython !== undefined)(`importing a small model ${noPython ?? ''}`, () => {
  beforeAll(() => {
    parts = runPython('tiny_model.py', ['2']);
  }, 600_000);

  it('refers to the parts without loading them', async () => {
    const { canDraw, warnings, bytes } = await importModel(request());
    expect({ canDraw, warnings }).toEqual({ canDraw: true, warnings: [] });
    expect(bytes).toBeLessThan(5000);
  });

  it('copies a folder of the Hugging Face cache as files', async () => {
    const out = fresh();
    const sources = { language: asCache('language'), base: asCache('image-decoder') };
    await importModel(request({ sources, storage: 'copy', out }));
    for (const entry of readdirSync(out, { recursive: true, encoding: 'utf8' })) {
      expect(lstatSync(join(out, entry)).isSymbolicLink(), entry).toBe(false);
    }
    expect(existsSync(join(out, 'image-decoder', 'unet', 'config.json'))).toBe(true);
  });

  it('reads a checkpoint by its content, whatever it is called, and a folder of one', async () => {
    const blob = join(folder, 'blob-without-an-ending');
    cpSync(join(parts, 'stage2.pt'), blob);
    const link = join(folder, 'pytorch_model.bin');
    symlinkSync(blob, link);
    for (const name of ['pytorch_model.bin', 'pytorch_model.pt']) {
      const dir = join(folder, `checkpoint-${name}`);
      mkdirSync(dir);
      symlinkSync(blob, join(dir, name));
      for (const storage of ['refer', 'int8'] as const) {
        const out = fresh();
        await importModel(request({ sources: { checkpoint: dir, qformer: null }, storage, out }));
        expect(existsSync(join(out, 'checkpoint', 'model.safetensors'))).toBe(storage === 'int8');
      }
    }
    await importModel(request({ sources: { checkpoint: link, qformer: null } }));
  });

  it('takes a processor', async () => {
    const processor = join(folder, 'processor');
    mkdirSync(processor);
    const file = join(processor, 'preprocessor_config.json');
    writeFileSync(file, JSON.stringify({ size: { height: 28, width: 28 }, resample: 2 }));
    const out = fresh();
    await importModel(request({ sources: { processor }, storage: 'copy', out }));
    expect(readFileSync(join(out, 'processor', 'preprocessor_config.json'), 'utf8')).toMatch(/28/);
    writeFileSync(file, JSON.stringify({ size: { height: 32, width: 32 } }));
    await expect(importModel(request({ sources: { processor } }))).rejects.toThrow(
      /pictures become 32 x 32/,
    );
  });

  it.each(['refer', 'int4'] as const)('refuses NaN, naming the file (%s)', async (storage) => {
    const language = changed('language', (tensors) => {
      const bytes = tensors.find(({ name }) => name === 'model.norm.weight')!.bytes;
      new DataView(bytes.buffer, bytes.byteOffset).setFloat32(8, NaN, true);
      return tensors;
    });
    const out = fresh();
    await expect(importModel(request({ sources: { language }, storage, out }))).rejects.toThrow(
      /model\.safetensors: tensor "model\.norm\.weight" holds .*NaN at place 2|holds NaN at place 2/,
    );
    expect(existsSync(out)).toBe(false);
    expect(nothingBeside()).toEqual([]);
  });

  it('names the file that lacks a tensor', async () => {
    const language = changed('language', (tensors) =>
      tensors.filter(({ name }) => name !== 'model.layers.1.mlp.up_proj.weight'),
    );
    await expect(importModel(request({ sources: { language } }))).rejects.toThrow(
      `${join(language, 'model.safetensors')}: the checkpoint lacks tensor "model.layers.1.mlp.up_proj.weight"`,
    );
  });

  it('warns of a tensor too many, refuses a layer too many', async () => {
    const extra = (name: string) => (tensors: TensorToWrite[]) => [
      ...tensors,
      { name, dtype: 'float32' as const, shape: [1], bytes: new Uint8Array(4) },
    ];
    const vision = changed('vision', extra('head.weight'));
    const { warnings } = await importModel(request({ sources: { vision } }));
    expect(warnings).toEqual([
      `${join(vision, 'model.safetensors')}: a tensor is not used: "head.weight"`,
    ]);
    const language = changed('language', extra('model.layers.2.mlp.up_proj.weight'));
    await expect(importModel(request({ sources: { language } }))).rejects.toThrow(
      /holds "model\.layers\.2", a layer that config\.json does not count/,
    );
  });

  it('refuses a checkpoint that replaces half of the language model', async () => {
    const checkpoint = join(folder, 'half.safetensors');
    cpSync(join(parts, 'qformer.safetensors'), checkpoint);
    rewrite(checkpoint, (tensors) => {
      const norm = openCheckpoint(join(parts, 'language')).find('model.norm.weight')!;
      const bytes = new Uint8Array(4 * norm.shape[0]!);
      return [
        ...tensors,
        { name: 'language_model.model.norm.weight', dtype: 'float32', shape: norm.shape, bytes },
      ];
    });
    const sources = { checkpoint, qformer: null };
    await expect(importModel(request({ sources }))).rejects.toThrow(
      /half\.safetensors: replaces 1 of the \d+ tensors/,
    );
  });

  it('refuses a refiner as the base', async () => {
    const base = join(folder, 'refiner');
    cpSync(join(parts, 'image-decoder'), base, { recursive: true });
    rmSync(join(base, 'text_encoder'), { recursive: true });
    await expect(importModel(request({ sources: { base } }))).rejects.toThrow(/is a refiner/);
  });

  it('replaces a model only by one that fits, and never a folder that it reads from', async () => {
    const out = fresh();
    await importModel(request({ out, storage: 'copy' }));
    const before = readFileSync(join(out, 'textbind.json'), 'utf8');
    const sources = { language: join(out, 'language') };
    const within = importModel(request({ out, sources, storage: 'int4', replace: true }));
    await expect(within).rejects.toMatchObject({ kind: 'bad-input' });
    const broken = { language: join(parts, 'vision') };
    await expect(importModel(request({ out, sources: broken, replace: true }))).rejects.toThrow();
    expect(readFileSync(join(out, 'textbind.json'), 'utf8')).toBe(before);
    expect(existsSync(join(out, 'language', 'model.safetensors'))).toBe(true);
    await importModel(request({ out, replace: true }));
    expect(existsSync(join(out, 'language'))).toBe(false);
    expect(nothingBeside()).toEqual([]);
  });

  it('is stopped between two matrices, and leaves what stood there', async () => {
    const out = fresh();
    await importModel(request({ out }));
    const abort = new AbortController();
    const stopped = importModel(request({ out, storage: 'int4', replace: true }), {
      signal: abort.signal,
      onProgress: ({ part }) => part === 'language' && setImmediate(() => abort.abort()),
    });
    await expect(stopped).rejects.toMatchObject({ kind: 'cancelled' });
    expect(readdirSync(out).sort()).toEqual(['processor', 'textbind.json']);
    expect(nothingBeside()).toEqual([]);
  });

  it.each(['SIGKILL', 'SIGTERM', 'SIGINT'] as const)('killed by %s leaves nothing', async (how) => {
    const place = mkdtempSync(join(folder, 'killed-'));
    const child = importing(join(place, 'out'), ['--quantize', 'int8', '--load']);
    const ended = once(child, 'exit');
    await until(() => readdirSync(place).length > 0 || child.exitCode !== null);
    child.kill(how);
    await ended;
    await until(() => readdirSync(place).length === 0);
    expect(readdirSync(place)).toEqual([]);
  });

  it('killed again and again with --resume, it goes on and ends with the same model', async () => {
    const [place, other] = [mkdtempSync(join(folder, 'cut-')), mkdtempSync(join(folder, 'whole-'))];
    const whole = importing(join(other, 'out'), ['--quantize', 'mixed']);
    expect((await once(whole, 'exit'))[0]).toBe(0);
    const random = new RandomNumbers(20261130);
    let parts = 0;
    for (let kills = 0; kills < 5; kills += 1) {
      const child = importing(join(place, 'out'), ['--quantize', 'mixed', '--resume']);
      const ended = once(child, 'exit');
      const before = new Set(filesIn(place));
      // A folder that goes while it is listed is news, too.
      const news = (): boolean => {
        try {
          return filesIn(place).some((name) => !before.has(name));
        } catch (error) {
          if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
          return true;
        }
      };
      // From the first thing that it writes on, a moment by chance.
      await until(() => child.exitCode !== null || news());
      await new Promise((resolve) => setTimeout(resolve, 60 * random.uniform()));
      child.kill('SIGKILL');
      await ended;
      if (existsSync(join(place, 'out'))) break;
      expect(readdirSync(place).every((name) => name.startsWith('.out.importing-'))).toBe(true);
      parts = Math.max(parts, readdirSync(join(place, readdirSync(place)[0]!)).length);
    }
    expect(parts).toBeGreaterThan(0);
    const last = importing(join(place, 'out'), ['--quantize', 'mixed', '--resume', '--overwrite']);
    expect((await once(last, 'exit'))[0]).toBe(0);
    expect(readdirSync(place)).toEqual(['out']);
    expect(filesIn(place)).toEqual(filesIn(other));
    for (const name of filesIn(place)) {
      expect(readFileSync(join(place, name)).equals(readFileSync(join(other, name))), name).toBe(
        true,
      );
    }
  }, 600_000);

  it('refuses to go on with an import that another process does', async () => {
    const out = fresh();
    const options = { resume: true, onProgress: () => undefined };
    const wanted = request({ out, storage: 'int8' });
    const abort = new AbortController();
    const first = importModel(wanted, {
      ...{ ...options, signal: abort.signal },
      onProgress: ({ part }) => part === 'language' && abort.abort(),
    });
    await expect(first).rejects.toMatchObject({ kind: 'cancelled' });
    const [staged = ''] = nothingBeside();
    writeFileSync(join(folder, staged, '.import.lock'), String(process.ppid));
    await expect(importModel(wanted, options)).rejects.toThrow(/does this import already/);
    rmSync(join(folder, staged, '.import.lock'));
    await importModel(wanted, options);
    expect(nothingBeside()).toEqual([]);
    expect(readdirSync(out).some((name) => name.startsWith('.'))).toBe(false);
  });

  /** The command, on the small model. */
  function importing(out: string, more: readonly string[]) {
    const root = join(import.meta.dirname, '..', '..', '..');
    const args = [
      ...['--disable-warning=ExperimentalWarning', join(root, 'src/cli/main.ts'), 'import'],
      ...['--vision', join(parts, 'vision'), '--language', join(parts, 'language')],
      ...['--qformer', join(parts, 'qformer.safetensors'), '--out', out],
      ...['--qformer-config', join(parts, 'qformer-config.json'), '--max-length', '128'],
      ...['--sd-base', join(parts, 'image-decoder'), ...more],
    ];
    return spawn(join(root, 'node_modules/.bin/node'), args, { stdio: 'ignore' });
  }
});

/** All files below a folder. */
function filesIn(place: string): string[] {
  return readdirSync(place, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(place.length + 1))
    .sort();
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; waited < 1000 && !condition(); waited += 1) {
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
