import {
  copyFileSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import {
  openCheckpoint,
  readFloats,
  readTensorBytes,
  toHalf,
  writeSafetensors,
  type Checkpoint,
  type TensorToWrite,
} from '../worker/weights/index.ts';

/** Files under this size can live in a git repository. */
const maxShardBytes = 45_000_000;
/** Weights in a folder besides those of the network, for instance a head that evaluations use. */
const smallFileBytes = 2_000_000;
const weightNames = ['model', 'diffusion_pytorch_model'] as const;

/**
 * Copies a Hugging Face folder with its weights in half precision, in shards that git takes. Weights in other formats
 * and of other variants (`model.fp16.safetensors`, `pytorch_model.bin`) are left out.
 */
export function storeAsHalf(from: string, to: string): void {
  mkdirSync(to, { recursive: true });
  copySmallFiles(from, to);
  const names = readdirSync(from);
  const stem = weightNames.find((name) => names.some((file) => file.startsWith(`${name}.`)));
  if (stem === undefined) return;
  writeHalfShards(openCheckpoint(from), to, stem);
}

/** One file of tensors in half precision. */
export function storeFileAsHalf(from: string, to: string, keep: (name: string) => boolean): void {
  const checkpoint = openCheckpoint(from);
  const names = [...checkpoint.names()].filter(keep);
  mkdirSync(path.dirname(to), { recursive: true });
  writeSafetensors(
    to,
    names.map((name) => halfTensor(checkpoint, name)),
  );
}

/** Configurations, tokenizers and small extra weights. A config's note of its author's own path is left out. */
export function copySmallFiles(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const source = path.join(from, entry.name);
    const target = path.join(to, entry.name);
    if (!statSync(source).isFile()) continue;
    const isText = /\.(json|txt|model)$/.test(entry.name) && !entry.name.endsWith('.index.json');
    const isExtra =
      entry.name.endsWith('.safetensors') &&
      !weightNames.some((name) => entry.name.startsWith(name)) &&
      statSync(source).size < smallFileBytes;
    if (entry.name === 'config.json')
      writeFileSync(target, withoutPath(readFileSync(source, 'utf8')));
    else if (isText || isExtra) copyFileSync(source, target);
  }
}

function withoutPath(text: string): string {
  // As text: numbers keep their form, since transformers refuses 1 where a float belongs.
  const cut = text.replace(/^\s*"_name_or_path": "[^"\n]*",?\n/m, '');
  return cut.replace(/,(\s*}\s*)$/, '$1');
}

function writeHalfShards(checkpoint: Checkpoint, folder: string, stem: string): void {
  const shards: TensorToWrite[][] = [[]];
  let bytes = 0;
  for (const name of checkpoint.names()) {
    const tensor = halfTensor(checkpoint, name);
    if (bytes > 0 && bytes + tensor.bytes.length > maxShardBytes) {
      shards.push([]);
      bytes = 0;
    }
    shards.at(-1)!.push(tensor);
    bytes += tensor.bytes.length;
  }
  if (shards.length === 1) {
    return writeSafetensors(path.join(folder, `${stem}.safetensors`), shards[0]!);
  }
  const map: Record<string, string> = {};
  shards.forEach((tensors, index) => {
    const file = `${stem}-${String(index + 1).padStart(5, '0')}.safetensors`;
    writeSafetensors(path.join(folder, file), tensors);
    for (const { name } of tensors) map[name] = file;
  });
  const index = `${JSON.stringify({ metadata: {}, weight_map: map }, null, 2)}\n`;
  writeFileSync(path.join(folder, `${stem}.safetensors.index.json`), index);
}

function halfTensor(checkpoint: Checkpoint, name: string): TensorToWrite {
  const { dtype, shape } = checkpoint.find(name)!;
  if (dtype !== 'float32' && dtype !== 'bfloat16') {
    return { name, dtype, shape, bytes: readTensorBytes(checkpoint, name) };
  }
  const half = toHalf(readFloats(checkpoint, name));
  return { name, dtype: 'float16', shape, bytes: new Uint8Array(half.buffer) };
}
