/** Model files made to do harm: refused with a sentence, in bounded time and memory. */
import { execFileSync, spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseLlamaConfig } from '../../../src/worker/networks/llama/config.ts';
import {
  parseClipTextConfig,
  parseUnetConfig,
  parseVaeConfig,
  parseVitConfig,
} from '../../../src/worker/networks/index.ts';
import { openLanguageTokenizer } from '../../../src/worker/inputs/tokenizer.ts';
import { withTimeLimit } from '../../../src/worker/inputs/time-limit.ts';
import { openCheckpoint } from '../../../src/worker/weights/index.ts';
import { readModelFolder } from '../../../src/library/model-folder.ts';
import { zipOf } from './zip.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const folder = temporaryFolderForAll();
let count = 0;
function file(bytes: Uint8Array | string, name = `file-${(count += 1)}`): string {
  const path = join(folder, name);
  writeFileSync(path, bytes);
  return path;
}

/** Opens a file in a process of its own, which the system ends beyond a gigabyte: what it threw, and its peak. */
function openAlone(path: string): { readonly message: string; readonly peakBytes: number } {
  const weights = join(import.meta.dirname, '../../../src/worker/weights/index.ts');
  const program = `
    const { openCheckpoint } = await import(${JSON.stringify(weights)});
    let message = 'opened';
    try { openCheckpoint(${JSON.stringify(path)}); } catch (error) { message = error.name + ': ' + error.message; }
    console.log(JSON.stringify({ message, peakBytes: process.resourceUsage().maxRSS * 1024 }));`;
  const node = join(import.meta.dirname, '../../../node_modules/.bin/node');
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '-e', program];
  const { stdout, status } = spawnSync(node, args, { encoding: 'utf8', timeout: 60_000 });
  expect(status).toBe(0);
  return JSON.parse(stdout) as { message: string; peakBytes: number };
}

describe('pickles', () => {
  const torch = (pickle: Buffer): string =>
    file(zipOf({ 'archive/data.pkl': pickle, 'archive/version': Buffer.from('3\n') }));
  const bytes = (...parts: (string | Buffer)[]) =>
    Buffer.concat([
      Buffer.from([0x80, 2]),
      ...parts.map((part) => (typeof part === 'string' ? Buffer.from(part, 'latin1') : part)),
    ]);

  it.each([
    ['ten million dicts', bytes(Buffer.alloc(10_000_000, '}'), '.'), /lists and dicts/],
    ['ten million numbers', bytes(Buffer.alloc(10_000_000, 'N'), '.'), /values/],
    [
      'lists within lists',
      bytes(Buffer.alloc(3_000_000, ')\x85', 'latin1'), '.'),
      /lists and dicts|values/,
    ],
    [
      'a list of a million, appended at once',
      bytes('](', Buffer.alloc(1_000_000, 'N'), 'e.'),
      /no state dict/,
    ],
  ])('%s', (_, pickle, message) => {
    const opened = openAlone(torch(pickle));
    expect(opened.message).toMatch(message);
    expect(opened.message).toMatch(/^WeightError: .*file-\d+: /);
    expect(opened.peakBytes).toBeLessThan(700_000_000);
  });

  it('names that are trees of shared lists', () => {
    // x = (x, x) thirty times: a gigabyte if it were spelled out.
    const doubled = Buffer.concat(
      Array.from({ length: 40 }, (_, at) => Buffer.from([0x71, at, 0x68, at, 0x86])),
    );
    const storage = bytes(
      '(X\x07\0\0\0storagectorch\nFloatStorage\n)',
      doubled,
      'X\x03\0\0\0cpuK\x01tQ.',
    );
    expect(() => openCheckpoint(torch(storage))).toThrow(/a storage in the pickle is malformed/);
  });
});

describe('headers', () => {
  const safetensors = (json: string): string => {
    const length = Buffer.alloc(8);
    length.writeBigUInt64LE(BigInt(Buffer.byteLength(json)));
    return file(Buffer.concat([length, Buffer.from(json)]));
  };

  it.each([
    ['deep', () => '['.repeat(1_000_000), /more than 8 deep/],
    ['deep in a field', () => `{"a":{"shape":${'['.repeat(100_000)}`, /more than 8 deep/],
    ['values without end', () => `{"a":[${'0,'.repeat(3_000_000)}0]}`, /more than 2000000 values/],
    [
      'tensors without end',
      () => {
        const one = (at: number) => `"${at}":{"dtype":"U8","shape":[0],"data_offsets":[0,0]}`;
        return `{${Array.from({ length: 120_000 }, (_, at) => one(at)).join(',')}}`;
      },
      /120000 tensors are over the limit/,
    ],
    [
      'dimensions without end',
      () => `{"a":{"dtype":"U8","shape":[${'1,'.repeat(99)}1],"data_offsets":[0,1]}}`,
      /100 dimensions are over the limit/,
    ],
  ])('%s', (_, make, message) => {
    const { message: said, peakBytes } = openAlone(safetensors(make()));
    expect(said).toMatch(message);
    expect(peakBytes).toBeLessThan(500_000_000);
  });

  it('zip directories with more entries than any model', () => {
    const end = Buffer.alloc(22);
    end.writeUInt32LE(0x06054b50);
    const end64 = Buffer.alloc(56);
    end64.writeUInt32LE(0x06064b50);
    end64.writeBigUInt64LE(5_000_000n, 32);
    end64.writeBigUInt64LE(10n, 40);
    const locator = Buffer.alloc(20);
    locator.writeUInt32LE(0x07064b50);
    locator.writeBigUInt64LE(4n, 8);
    end.writeUInt16LE(0xffff, 10);
    const path = file(Buffer.concat([Buffer.from('PK\x03\x04'), end64, locator, end]));
    expect(() => openCheckpoint(path)).toThrow(/5000000 entries, the most is 100000/);
  });
});

describe('configurations', () => {
  const llama = JSON.parse(
    readFileSync(
      join(import.meta.dirname, '../../../models/textbind-mini/language/config.json'),
      'utf8',
    ),
  ) as Record<string, unknown>;

  it.each([
    [{ num_hidden_layers: 100_000 }, /"num_hidden_layers" must be at most 256, found 100000/],
    [{ num_attention_heads: 2 ** 30 }, /"num_attention_heads" must be at most/],
    [{ vocab_size: 2 ** 40 }, /"vocab_size" must be at most/],
    [{ hidden_size: 2 ** 20 }, /"hidden_size" must be at most/],
    [{ head_dim: 4096 }, /"head_dim" must be at most 1024/],
  ])('%j', (change, message) => {
    expect(() => parseLlamaConfig({ ...llama, ...change })).toThrow(message);
  });

  it('of the other networks', () => {
    expect(() => parseVitConfig({ num_hidden_layers: 1e5 })).toThrow(/at most 256/);
    expect(() => parseClipTextConfig({ num_hidden_layers: 1e5 })).toThrow(/at most 256|must be/);
    const channels = new Array<number>(1000).fill(32);
    expect(() => parseVaeConfig({ block_out_channels: channels })).toThrow(/at most 16|must be/);
    const unet = JSON.parse(
      readFileSync(
        join(import.meta.dirname, '../../../models/textbind-mini/image-decoder/unet/config.json'),
        'utf8',
      ),
    ) as Record<string, unknown>;
    expect(() => parseUnetConfig({ ...unet, block_out_channels: channels })).toThrow(/at most 16/);
    expect(() => parseUnetConfig({ ...unet, layers_per_block: 1e6 })).toThrow(/at most 16/);
  });

  it('deep or endless JSON', () => {
    for (const text of [
      '['.repeat(1_000_000),
      `[${'{},'.repeat(9_000_000)}{}]`,
      '{"a":'.repeat(500),
    ]) {
      const model = join(folder, `model-${(count += 1)}`);
      mkdirSync(model);
      writeFileSync(join(model, 'textbind.json'), text);
      expect(() => readModelFolder(model)).toThrow(
        /textbind\.json: it has more|lie more than 64 deep/,
      );
    }
  });
});

describe('a tokenizer', () => {
  const mini = join(import.meta.dirname, '../../../models/textbind-mini/language');
  const changed = (change: (json: Record<string, unknown>) => void): string => {
    const to = join(folder, `tokenizer-${(count += 1)}`);
    mkdirSync(to);
    cpSync(join(mini, 'tokenizer_config.json'), join(to, 'tokenizer_config.json'));
    const json = JSON.parse(readFileSync(join(mini, 'tokenizer.json'), 'utf8')) as never;
    change(json);
    writeFileSync(join(to, 'tokenizer.json'), JSON.stringify(json));
    return to;
  };

  it('whose rule never ends is given up on', async () => {
    const split = { type: 'Split', pattern: { Regex: '(a+)+$' }, behavior: 'Isolated' };
    const bytes = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
    const tokenizer = await openLanguageTokenizer(
      changed((json) => {
        json['pre_tokenizer'] = {
          type: 'Sequence',
          pretokenizers: [{ ...split, invert: false }, bytes],
        };
      }),
    );
    expect(() => tokenizer.encode(`${'a'.repeat(60)}!`)).toThrow(
      expect.objectContaining({
        kind: 'model-invalid',
        message: expect.stringMatching(
          /tokenizer\.json: splitting 61 characters takes longer than/,
        ) as string,
      }),
    );
    expect(tokenizer.encode('b').length).toBeGreaterThan(0);
  });

  it('with an empty token or too many is refused', async () => {
    const token = (id: number, content: string) => ({ id, content, special: true });
    await expect(
      openLanguageTokenizer(changed((json) => (json['added_tokens'] = [token(1, '')]))),
    ).rejects.toThrow(/added_tokens\.0\.content/);
    const many = Array.from({ length: 30_000 }, (_, at) => token(at, `<${at}>`));
    await expect(
      openLanguageTokenizer(changed((json) => (json['added_tokens'] = many))),
    ).rejects.toThrow(/added_tokens/);
  });

  it('limits hold for work within work, and errors of the work are its own', () => {
    expect(withTimeLimit(1000, 'x', () => withTimeLimit(1000, 'y', () => 7))).toBe(7);
    expect(() =>
      withTimeLimit(1000, 'x', () => {
        throw new TypeError('mine');
      }),
    ).toThrow(TypeError);
  });
});

describe.skipIf(process.platform === 'win32')('a pipe in the place of a file', () => {
  it.each(['model.safetensors', 'config.json', 'textbind.json', 'tokenizer.json'])(
    '%s',
    async (name) => {
      const place = join(folder, `pipe-${(count += 1)}`);
      mkdirSync(place);
      execFileSync('mkfifo', [join(place, name)]);
      const open = {
        'model.safetensors': () => openCheckpoint(place),
        'config.json': () => openCheckpoint(join(place, name)),
        'textbind.json': () => readModelFolder(place),
        'tokenizer.json': () => openLanguageTokenizer(place),
      }[name]!;
      await expect(async () => open()).rejects.toThrow(/is not a file/);
    },
  );
});
