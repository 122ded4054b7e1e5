/**
 * Some tensors of a sharded checkpoint as one file: the header is read from each shard, and only the bytes of the
 * tensors that are wanted are fetched (vision and Q-Former of a BLIP-2 are a tenth of it). Format:
 * https://huggingface.co/docs/safetensors. What is read is checked again by whoever opens the file.
 */
import { z } from 'zod';
import { DownloadFault } from './fault.ts';
import { addressOf, askHub, type HubReach, type HubRepository } from './hub.ts';
import { ask } from './http.ts';
import type { FilePlan, Segment } from './plan.ts';
import { chunksOf } from '../../base/chunks.ts';

const mostHeader = 32_000_000;
const indexSchema = z.looseObject({ weight_map: z.record(z.string(), z.string()) });
const tensorSchema = z.object({
  dtype: z.string(),
  shape: z.array(z.number().int().nonnegative()),
  data_offsets: z.tuple([z.number().int().nonnegative(), z.number().int().nonnegative()]),
});
const headerSchema = z.record(z.string(), z.unknown());

export interface TensorsWanted {
  /** Beginnings of the names of tensors that are wanted. */
  readonly prefixes: readonly string[];
  /** `model.safetensors.index.json` of the repository, or one `.safetensors` file. */
  readonly from: string;
  /** What the file is called that is written. */
  readonly file: string;
}

interface Tensor extends z.infer<typeof tensorSchema> {
  readonly name: string;
  readonly address: string;
  readonly sourceBytes: number;
  /** Of its first byte within the shard. */
  readonly begin: number;
  readonly bytes: number;
}

/**
 * Plans a file with the tensors that are wanted.
 * @throws {DownloadFault} `wrong` where the checkpoint is not as it should be, or has none of them
 */
export async function planTensors(
  wanted: TensorsWanted,
  repository: HubRepository,
  reach: HubReach,
): Promise<FilePlan> {
  const isWanted = (name: string): boolean =>
    wanted.prefixes.some((prefix) => name.startsWith(prefix));
  const shards = await shardsWith(isWanted, wanted.from, repository, reach);
  const tensors: Tensor[] = [];
  for (const shard of shards) {
    const all = await readTensors(shard, repository, reach);
    tensors.push(...all.filter(({ name }) => isWanted(name)));
  }
  if (tensors.length === 0) {
    const names = wanted.prefixes.join(', ');
    throw new DownloadFault('wrong', `${repository.repository} has no tensors ${names}.`);
  }
  return compose(wanted.file, tensors);
}

async function shardsWith(
  isWanted: (name: string) => boolean,
  from: string,
  repository: HubRepository,
  reach: HubReach,
): Promise<string[]> {
  if (!from.endsWith('.json')) return [from];
  const address = addressOf(reach.hub, repository.repository, repository.commit, from);
  const { text } = await askHub(new URL(address), reach);
  const { weight_map: map } = read(indexSchema, text, from);
  return [
    ...new Set(Object.entries(map).flatMap(([name, file]) => (isWanted(name) ? [file] : []))),
  ];
}

async function readTensors(
  shard: string,
  repository: HubRepository,
  reach: HubReach,
): Promise<Tensor[]> {
  const file = repository.files.find(({ path }) => path === shard);
  if (file === undefined) {
    throw new DownloadFault('wrong', `${repository.repository} names ${shard}, which it has not.`);
  }
  const address = addressOf(reach.hub, repository.repository, repository.commit, shard);
  const prefix = await bytesOf(address, 0, 8, reach);
  const length = Number(prefix.readBigUInt64LE());
  if (length > mostHeader || 8 + length > file.bytes) {
    throw new DownloadFault('wrong', `${shard}: its header would have ${length} bytes.`);
  }
  const text = (await bytesOf(address, 8, length, reach)).toString('utf8');
  const { __metadata__: _, ...entries } = read(headerSchema, text, shard);
  return Object.entries(entries).map(([name, entry]) => {
    const tensor = tensorSchema.parse(entry);
    const [begin, end] = tensor.data_offsets;
    if (end < begin || 8 + length + end > file.bytes) {
      throw new DownloadFault('wrong', `${shard}: tensor "${name}" lies outside the file.`);
    }
    const sourceBytes = file.bytes;
    return { ...tensor, name, address, sourceBytes, begin: 8 + length + begin, bytes: end - begin };
  });
}

function read<S extends z.ZodType>(schema: S, text: string, file: string): z.output<S> {
  try {
    return schema.parse(JSON.parse(text));
  } catch (error) {
    const message = `${file} is not what a checkpoint has under this name.`;
    throw new DownloadFault('wrong', message, { cause: error });
  }
}

async function bytesOf(
  address: string,
  from: number,
  length: number,
  reach: HubReach,
): Promise<Buffer> {
  const headers = { ...reach.headers, range: `bytes=${from}-${from + length - 1}` };
  const response = await ask(new URL(address), { ...reach, headers });
  if (response.statusCode !== 206) {
    response.destroy();
    const message = `${new URL(address).host} gives no pieces of files (${response.statusCode}).`;
    throw new DownloadFault(response.statusCode === 200 ? 'wrong' : 'network', message);
  }
  const chunks: Buffer[] = [];
  for await (const chunk of chunksOf(response)) chunks.push(chunk);
  const bytes = Buffer.concat(chunks);
  if (bytes.length === length) return bytes;
  throw new DownloadFault('network', `${new URL(address).host} ended too soon.`);
}

/** Tensors one behind the other in the order of their places, so that neighbours are one request. */
function compose(path: string, tensors: readonly Tensor[]): FilePlan {
  const sorted = [...tensors].sort(
    (a, b) => (a.address < b.address ? -1 : a.address > b.address ? 1 : 0) || a.begin - b.begin,
  );
  let offset = 0;
  const header: Record<string, unknown> = {};
  for (const { name, dtype, shape, bytes } of sorted) {
    header[name] = { dtype, shape, data_offsets: [offset, offset + bytes] };
    offset += bytes;
  }
  const json = Buffer.from(JSON.stringify(header));
  const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, ' ')]);
  const prefix = Buffer.alloc(8);
  prefix.writeBigUInt64LE(BigInt(padded.length));
  const head = Buffer.concat([prefix, padded]);
  const segments = joined(sorted, head.length);
  return {
    path,
    bytes: head.length + offset,
    head: head.toString('base64'),
    segments,
    digest: null,
  };
}

function joined(tensors: readonly Tensor[], start: number): Segment[] {
  const segments: Segment[] = [];
  let at = start;
  for (const { address, begin, bytes, sourceBytes } of tensors) {
    const last = segments.at(-1);
    if (last !== undefined && last.address === address && last.from + last.bytes === begin) {
      segments[segments.length - 1] = { ...last, bytes: last.bytes + bytes };
    } else if (bytes > 0) {
      segments.push({ address, from: begin, at, bytes, sourceBytes });
    }
    at += bytes;
  }
  return segments;
}
