/**
 * Every reader of files against mutations of good files: it reads, or it refuses with a sentence that names the file.
 * No crash, no hang (the runner's time limit), bounded memory. `TEXTBIND_FUZZ=10000` does more, `TEXTBIND_FUZZ_SEED`
 * others.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BinaryWriter, WireType } from '@bufbuild/protobuf/wire';
import { describe, expect, it } from 'vitest';
import { readModelFolder } from '../../../src/library/model-folder.ts';
import { readPictureHeader } from '../../../src/main/pictures/header.ts';
import { openClipTokenizer } from '../../../src/worker/inputs/clip-tokenizer.ts';
import { decodeImage, openImageProcessor } from '../../../src/worker/inputs/image.ts';
import { readSentencePieceModel } from '../../../src/worker/inputs/sentencepiece-model.ts';
import { openLanguageTokenizer } from '../../../src/worker/inputs/tokenizer.ts';
import {
  cpuTarget,
  parseClipTextConfig,
  parseUnetConfig,
  parseVaeConfig,
  parseVitConfig,
} from '../../../src/worker/networks/index.ts';
import { buildDecoder } from '../../../src/worker/networks/llama/decoder.ts';
import { parseLlamaConfig } from '../../../src/worker/networks/llama/config.ts';
import { buildUnet } from '../../../src/worker/networks/unet/build.ts';
import { parseScheduler } from '../../../src/worker/pipelines/drawing/scheduler-config.ts';
import {
  openCheckpoint,
  openGguf,
  readGgufTensor,
  readTensorBytes,
  writeSafetensors,
} from '../../../src/worker/weights/index.ts';
import { encoders, noisy } from '../../main/support/hostile-pictures.ts';
import { mutateBytes, mutateJson, randomNumbers } from './mutate.ts';
import { ggufOf } from './gguf.ts';
import { zipOf } from './zip.ts';
import { temporaryFolderForAll } from '../../support/temporary-folder.ts';

const rounds = Number(process.env['TEXTBIND_FUZZ'] ?? 1000);
const seed = Number(process.env['TEXTBIND_FUZZ_SEED'] ?? 1);
/** For 1,000 mutations a second or two; only a hang is longer. */
const limitMs = 60_000 + rounds * 60;

/** In memory where the system has such a folder: a disk takes most of the time of some 15,000 small files. */
const folder = temporaryFolderForAll('memory');
const models = join(import.meta.dirname, '../../../models/textbind-mini');
const jsonOf = (...path: string[]): unknown =>
  JSON.parse(readFileSync(join(models, ...path), 'utf8'));

const refusals = new Set(['StudioError', 'WeightError', 'GraphError']);
const kinds = new Set(['model-invalid', 'unsupported', 'bad-input', 'not-found']);
/** Words of an accident rather than of a refusal. */
const accident =
  /Maximum call stack|is not a function|Cannot read|undefined|is not iterable|not valid JSON-|reading '|Invalid array length|\[object/;

interface Refused {
  readonly name: string;
  readonly message: string;
  readonly kind?: string;
}

/** Reads `rounds` mutations; what is thrown must be a refusal that says where. */
async function holds(
  where: string,
  mutate: (random: () => number, round: number) => unknown,
): Promise<void> {
  const random = randomNumbers(seed);
  const before = process.memoryUsage().rss;
  const faults: string[] = [];
  let refused = 0;
  for (let round = 0; round < rounds; round += 1) {
    try {
      await mutate(random, round);
    } catch (thrown) {
      const fault = faultOf(thrown as Refused, where);
      if (fault !== null) faults.push(`seed ${seed}, round ${round}: ${fault}`);
      refused += 1;
    }
  }
  expect(faults).toEqual([]);
  // A mutation that is always read, or never, tests nothing.
  expect(refused).toBeGreaterThan(rounds / 20);
  expect(process.memoryUsage().rss - before).toBeLessThan(800_000_000);
}

/** What is wrong with how a file was refused; null where nothing is. */
function faultOf({ name, message, kind }: Refused, where: string): string | null {
  const said = `${name} (${kind}): ${String(message).slice(0, 500)}`;
  if (!refusals.has(name) || (kind !== undefined && !kinds.has(kind))) return said;
  if (!message.includes(where)) return `names no file: ${said}`;
  if (accident.test(message)) return `an accident: ${said}`;
  return message.length < 1500 ? null : `too long: ${said}`;
}

function readAll(file: string): void {
  const checkpoint = openCheckpoint(file);
  for (const name of checkpoint.names()) readTensorBytes(checkpoint, name);
}

const float = (count: number) => new Uint8Array(new Float32Array(count).fill(0.5).buffer);

describe(`fuzz, ${rounds} mutations each`, () => {
  it(
    'safetensors',
    async () => {
      const file = join(folder, 'model.safetensors');
      writeSafetensors(file, [
        { name: 'a', dtype: 'float32', shape: [2, 3], bytes: float(6) },
        { name: 'b', dtype: 'float16', shape: [4], bytes: new Uint8Array(8) },
        { name: 'c', dtype: 'uint8', shape: [], bytes: new Uint8Array(1) },
      ]);
      const good = readFileSync(file);
      const length = Number(good.readBigUInt64LE());
      const header: unknown = JSON.parse(good.toString('utf8', 8, 8 + length));
      await holds(file, (random, round) => {
        const json = Buffer.from(JSON.stringify(mutateJson(header, random)));
        const size = Buffer.alloc(8);
        size.writeBigUInt64LE(BigInt(json.length));
        const whole = Buffer.concat([size, json, good.subarray(8 + length)]);
        writeFileSync(file, round % 2 === 0 ? mutateBytes(good, random) : whole);
        readAll(file);
      });
    },
    limitMs,
  );

  it(
    'GGUF files',
    async () => {
      const file = join(folder, 'model.gguf');
      const good = ggufOf({ 'general.architecture': 'llama', 'llama.block_count': 2 }, ['a', 'b']);
      await holds(file, (random) => {
        writeFileSync(file, mutateBytes(good, random));
        const read = openGguf(file);
        for (const tensor of read.tensors.values()) readGgufTensor(read, tensor);
      });
    },
    limitMs,
  );

  it(
    'the index of shards',
    async () => {
      const place = join(folder, 'shards');
      mkdirSync(place);
      const shard = join(place, 'model-00001.safetensors');
      writeSafetensors(shard, [{ name: 'a', dtype: 'float32', shape: [2], bytes: float(2) }]);
      const index = { metadata: {}, weight_map: { a: 'model-00001.safetensors' } };
      await holds(place, (random) => {
        const file = join(place, 'model.safetensors.index.json');
        writeFileSync(file, JSON.stringify(mutateJson(index, random)));
        readAll(place);
      });
    },
    limitMs,
  );

  it(
    'PyTorch files',
    async () => {
      const file = join(folder, 'model.pt');
      const pickle = pickleOf('w', [2, 3]);
      const around = { 'm/byteorder': Buffer.from('little'), 'm/data/0': Buffer.from(float(6)) };
      const good = zipOf({ 'm/data.pkl': pickle, ...around });
      writeFileSync(file, good);
      readAll(file);
      await holds(file, (random, round) => {
        const inner = zipOf({ 'm/data.pkl': mutateBytes(pickle, random), ...around });
        writeFileSync(file, round % 3 === 0 ? mutateBytes(good, random) : inner);
        readAll(file);
      });
    },
    limitMs,
  );

  it(
    'tokenizer.json',
    async () => {
      const place = join(folder, 'tokenizer');
      mkdirSync(place);
      const names = { bos_token: '<s>', eos_token: '</s>' };
      await holds(place, async (random, round) => {
        const [file, config] = ['tokenizer.json', 'tokenizer_config.json'].map((name) =>
          join(place, name),
        ) as [string, string];
        const text = JSON.stringify(mutateJson(smallTokenizer, random));
        const bytes = round % 3 === 0 ? mutateBytes(Buffer.from(text), random) : text;
        writeFileSync(file, bytes);
        const named = round % 7 === 0 ? mutateJson(names, random) : names;
        writeFileSync(config, JSON.stringify(named));
        const tokenizer = await openLanguageTokenizer(place);
        tokenizer.decode(tokenizer.encode('ab a <image>b <s>aaaaaaaa a!'));
      });
    },
    limitMs,
  );

  it(
    "CLIP's tokenizer",
    async () => {
      const place = join(folder, 'clip');
      mkdirSync(place);
      const vocabulary = { a: 0, b: 1, 'a</w>': 2, 'b</w>': 3, 'ab</w>': 4, '<|startoftext|>': 5 };
      const all = { ...vocabulary, '<|endoftext|>': 6 };
      await holds(place, async (random) => {
        writeFileSync(join(place, 'vocab.json'), JSON.stringify(mutateJson(all, random)));
        writeFileSync(
          join(place, 'merges.txt'),
          mutateBytes(Buffer.from('#version: 0.2\na b</w>\n'), random),
        );
        const config = mutateJson({ model_max_length: 77, bos_token: '<|startoftext|>' }, random);
        writeFileSync(join(place, 'tokenizer_config.json'), JSON.stringify(config));
        (await openClipTokenizer(place)).encode('ab a b');
      });
    },
    limitMs,
  );

  it(
    'tokenizer.model',
    async () => {
      const good = sentencePieces();
      readSentencePieceModel(good, 'tokenizer.model');
      await holds('tokenizer.model', (random) =>
        readSentencePieceModel(mutateBytes(good, random), 'tokenizer.model'),
      );
    },
    limitMs,
  );

  it.each([
    ['language', ['language', 'config.json'], parseLlamaConfig],
    ['vision', ['vision', 'config.json'], parseVitConfig],
    ['text encoder', ['image-decoder', 'text_encoder', 'config.json'], parseClipTextConfig],
    ['UNet', ['image-decoder', 'unet', 'config.json'], parseUnetConfig],
    ['VAE', ['image-decoder', 'vae', 'config.json'], parseVaeConfig],
    ['scheduler', ['image-decoder', 'scheduler', 'scheduler_config.json'], parseScheduler],
  ] as const)(
    'config.json of the %s',
    async (_, path, parse) => {
      const good = jsonOf(...path);
      await holds('x/config.json', (random) => parse(mutateJson(good, random), 'x/config.json'));
    },
    limitMs,
  );

  it(
    'graphs of what configurations say',
    async () => {
      const [language, unet] = [
        jsonOf('language', 'config.json'),
        jsonOf('image-decoder', 'unet', 'config.json'),
      ];
      await holds('', (random, round) => {
        if (round % 20 !== 0) throw Object.assign(new Error(''), { name: 'WeightError' });
        const config = parseLlamaConfig(mutateJson(language, random));
        buildDecoder(config, cpuTarget, { positions: Math.min(config.maxPositions, 512) });
        buildUnet(parseUnetConfig(mutateJson(unet, random)), cpuTarget);
      });
    },
    limitMs,
  );

  it(
    'textbind.json',
    async () => {
      const place = join(folder, 'model');
      mkdirSync(place);
      const good = jsonOf('textbind.json');
      await holds(place, (random, round) => {
        const text = JSON.stringify(mutateJson(good, random));
        const bytes = round % 3 === 0 ? mutateBytes(Buffer.from(text), random) : text;
        writeFileSync(join(place, 'textbind.json'), bytes);
        readModelFolder(place);
      });
    },
    limitMs,
  );

  it(
    'preprocessor_config.json',
    async () => {
      const place = join(folder, 'processor');
      mkdirSync(place);
      const good = { size: { height: 28, width: 28 }, resample: 3, image_mean: [0.5, 0.5, 0.5] };
      await holds(place, (random) => {
        const text = JSON.stringify(mutateJson(good, random));
        writeFileSync(join(place, 'preprocessor_config.json'), text);
        openImageProcessor(place);
      });
    },
    limitMs,
  );

  it(
    'pictures',
    async () => {
      const good = await Promise.all(
        Object.values(encoders).map((encode) => encode(noisy(48, 32))),
      );
      await holds('x.png', async (random, round) => {
        const bytes = mutateBytes(good[round % good.length]!, random);
        await decodeImage(bytes, 'x.png');
      });
      await holds('x.png', (random, round) =>
        readPictureHeader(mutateBytes(good[round % good.length]!, random), 'x.png'),
      );
    },
    2 * limitMs,
  );
});

/** A state dict of one tensor of float32, as `torch.save` writes it (protocol 2). */
function pickleOf(name: string, shape: readonly number[]): Buffer {
  const text = (value: string) =>
    Buffer.concat([
      Buffer.from('X'),
      Buffer.from(Uint32Array.of(value.length).buffer),
      Buffer.from(value),
    ]);
  const small = (value: number) => Buffer.from([0x4b, value]);
  const count = shape.reduce((product, dim) => product * dim, 1);
  const plain = (value: string) => Buffer.from(value, 'latin1');
  const strides = shape.map((_, axis) =>
    shape.slice(axis + 1).reduce((product, dim) => product * dim, 1),
  );
  return Buffer.concat([
    ...[plain('\x80\x02}q\0('), text(name), plain('ctorch._utils\n_rebuild_tensor_v2\n((')],
    ...[text('storage'), plain('ctorch\nFloatStorage\n'), text('0'), text('cpu'), small(count)],
    ...[plain('tQ'), small(0), plain('('), ...shape.map(small), plain('t(')],
    ...[...strides.map(small), plain('t\x89ccollections\nOrderedDict\n)RtRu.')],
  ]);
}

const letters = [...'abcde!Ġ'];
const smallTokenizer = {
  version: '1.0',
  added_tokens: ['<s>', '</s>'].map((content, id) => ({
    ...{ id, content, single_word: false, lstrip: false, rstrip: false },
    ...{ normalized: false, special: true },
  })),
  normalizer: { type: 'Sequence', normalizers: [{ type: 'NFC' }, { type: 'Lowercase' }] },
  pre_tokenizer: {
    type: 'Sequence',
    pretokenizers: [
      { type: 'Split', pattern: { Regex: '\\s?\\w+|!' }, behavior: 'Isolated', invert: false },
      { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: false },
    ],
  },
  post_processor: null,
  decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
  model: {
    ...{ type: 'BPE', dropout: null, unk_token: null, continuing_subword_prefix: null },
    ...{ end_of_word_suffix: null, fuse_unk: false, byte_fallback: false, ignore_merges: false },
    vocab: Object.fromEntries(
      ['<s>', '</s>', ...letters, 'ab', 'aa', 'Ġa'].map((piece, id) => [piece, id]),
    ),
    merges: [
      ['a', 'b'],
      ['a', 'a'],
      ['Ġ', 'a'],
    ],
  },
};

/** tokenizer.model of a handful of pieces (sentencepiece_model.proto). */
function sentencePieces(): Uint8Array {
  const writer = new BinaryWriter();
  const pieces = ['<unk>', '<s>', '</s>', '▁', 'a', 'b', '▁a', 'ab'];
  pieces.forEach((piece, at) => {
    writer.tag(1, WireType.LengthDelimited).fork();
    writer.tag(1, WireType.LengthDelimited).string(piece);
    writer.tag(2, WireType.Bit32).float(-at);
    writer.tag(3, WireType.Varint).int32(at === 0 ? 2 : at < 3 ? 3 : 1);
    writer.join();
  });
  writer.tag(2, WireType.LengthDelimited).fork();
  writer.tag(3, WireType.Varint).int32(2);
  writer.join();
  writer.tag(3, WireType.LengthDelimited).fork();
  writer.tag(1, WireType.LengthDelimited).string('identity');
  writer.tag(4, WireType.Varint).bool(false);
  writer.join();
  return writer.finish();
}
