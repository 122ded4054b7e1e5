/**
 * Reads what a PyTorch state dict (`.pt`, `.pth`, `.bin`) holds and where: since PyTorch 1.6 a zip of
 * raw storages and a pickle that says how tensors lie in them. Nothing of it is executed, and tensors
 * are used where they are. Format: torch/serialization.py and torch/_utils.py.
 */
import { byteLength } from '../tensor/stored-tensor.ts';
import type { DataType } from '../tensor/stored-tensor.ts';
import { isCount, isCounts } from './counts.ts';
import type { PickleGlobals } from './pickle.ts';
import { isGlobal, readPickle } from './pickle.ts';
import type { TensorEntry } from './safetensors.ts';
import { readBytes } from './safetensors.ts';
import { WeightError } from './weight-error.ts';
import type { ZipEntry } from './zip-directory.ts';
import { readZipDirectory } from './zip-directory.ts';

const storageTypes: ReadonlyMap<string, DataType> = new Map([
  ['torch.DoubleStorage', 'float64'],
  ['torch.FloatStorage', 'float32'],
  ['torch.HalfStorage', 'float16'],
  ['torch.BFloat16Storage', 'bfloat16'],
  ['torch.LongStorage', 'int64'],
  ['torch.IntStorage', 'int32'],
  ['torch.CharStorage', 'int8'],
  ['torch.ByteStorage', 'uint8'],
  ['torch.BoolStorage', 'bool'],
]);

/** What describes a tensor takes some 200 bytes. */
const pickleLimitBytes = 32_000_000;

class Storage {
  readonly dtype: DataType;
  readonly entry: ZipEntry;
  constructor(dtype: DataType, entry: ZipEntry) {
    this.dtype = dtype;
    this.entry = entry;
  }
}

class Tensor {
  readonly storage: Storage;
  /** In elements. */
  readonly start: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  constructor(
    storage: Storage,
    start: number,
    shape: readonly number[],
    strides: readonly number[],
  ) {
    this.storage = storage;
    this.start = start;
    this.shape = shape;
    this.strides = strides;
  }
}

/** torch._utils._rebuild_tensor_v2(storage, storage_offset, size, stride, ...) */
function rebuildTensor(args: readonly unknown[]): Tensor {
  const [storage, start, shape, strides] = args;
  if (!(storage instanceof Storage) || !isCount(start) || !isCounts(shape) || !isCounts(strides)) {
    throw new WeightError('a tensor in the pickle is malformed');
  }
  return new Tensor(storage, start, shape, strides);
}

function dictOf(args: readonly unknown[]): Map<unknown, unknown> {
  const pairs: unknown = args[0] ?? [];
  if (!Array.isArray(pairs) || !pairs.every(isPair)) {
    throw new WeightError('an OrderedDict in the pickle is malformed');
  }
  return new Map(pairs);
}

/** Python's dict takes any two things; more or fewer are no entry. */
function isPair(value: unknown): value is [unknown, unknown] {
  return Array.isArray(value) && value.length === 2;
}

function globalsFor(entries: ReadonlyMap<string, ZipEntry>, root: string): PickleGlobals {
  return {
    call: new Map<string, (args: readonly unknown[]) => unknown>([
      ['torch._utils._rebuild_tensor_v2', rebuildTensor],
      // (data, requires_grad, backward_hooks)
      ['torch._utils._rebuild_parameter', ([data]) => data],
      ['collections.OrderedDict', dictOf],
    ]),
    names: new Set(storageTypes.keys()),
    persistent: (id) => {
      // ('storage', type, key, location, number of elements)
      const parts: readonly unknown[] = Array.isArray(id) ? id : [];
      const [kind, type, key] = parts;
      const dtype = isGlobal(type) ? storageTypes.get(type.global) : undefined;
      if (kind !== 'storage' || !dtype || typeof key !== 'string')
        throw new WeightError('a storage in the pickle is malformed');
      const entry = entries.get(`${root}data/${key}`);
      if (!entry) throw new WeightError(`the storage ${key} is missing`);
      return new Storage(dtype, entry);
    },
  };
}

/** The layout of row-major tensors; axes of one element may have any stride. */
function isContiguous({ shape, strides }: Tensor): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis -= 1) {
    const size = shape[axis] ?? 1;
    if (size !== 1 && strides[axis] !== expected) return false;
    expected *= size;
  }
  return strides.length === shape.length;
}

function toEntry(name: string, tensor: Tensor): TensorEntry {
  const { dtype, entry } = tensor.storage;
  const count = tensor.shape.reduce((product, dim) => product * dim, 1);
  if (!Number.isSafeInteger(count) || tensor.shape.length > mostDimensions)
    throw new WeightError(`tensor "${name}" has an impossible shape`);
  if (count > 0 && !isContiguous(tensor)) {
    throw new WeightError(
      `tensor "${name}" has strides [${tensor.strides.join(', ')}]; only contiguous tensors can be used in place`,
    );
  }
  const start = byteLength(dtype, tensor.start);
  const length = byteLength(dtype, count);
  if (start + length > entry.length) {
    throw new WeightError(
      `tensor "${name}" needs ${start + length} bytes of a storage of ${entry.length}`,
    );
  }
  return { dtype, shape: tensor.shape, offset: entry.offset + start, length };
}

/** NumPy's limit. */
const mostDimensions = 64;

/** Names that training scripts put around a state dict. */
const wrappers = ['state_dict', 'model', 'module'];

function stateDict(value: unknown): Map<unknown, unknown> {
  if (!(value instanceof Map)) throw new WeightError('the file holds no state dict');
  for (const wrapper of wrappers) {
    const inner: unknown = value.get(wrapper);
    if (inner instanceof Map) return inner;
  }
  return value;
}

function readTensors(file: string): Map<string, TensorEntry> {
  const entries = readZipDirectory(file);
  const pickleName = [...entries.keys()].find(
    (name) => name.endsWith('/data.pkl') || name === 'data.pkl',
  );
  const pickle = pickleName === undefined ? undefined : entries.get(pickleName);
  if (pickleName === undefined || !pickle)
    throw new WeightError('data.pkl is missing: not a PyTorch file');
  if (pickle.length > pickleLimitBytes)
    throw new WeightError(`a pickle of ${pickle.length} bytes is over the limit`);
  const root = pickleName.slice(0, -'data.pkl'.length);
  const order = entries.get(`${root}byteorder`);
  if (order && Buffer.from(readBytes(file, order.offset, order.length)).toString() !== 'little') {
    throw new WeightError('the file was written on a big-endian machine');
  }
  const value = readPickle(
    readBytes(file, pickle.offset, pickle.length),
    globalsFor(entries, root),
  );
  const tensors = [...stateDict(value)].filter(
    (pair): pair is [string, Tensor] => typeof pair[0] === 'string' && pair[1] instanceof Tensor,
  );
  return new Map(tensors.map(([name, tensor]) => [name, toEntry(name, tensor)]));
}

/**
 * The tensors of a PyTorch file; what else a state dict holds is passed over.
 *
 * @throws WeightError naming the file, for files written before PyTorch 1.6, malformed or truncated
 * ones, and pickles that would do more than describe tensors.
 */
export function readTorchTensors(file: string): ReadonlyMap<string, TensorEntry> {
  try {
    return readTensors(file);
  } catch (cause) {
    if (!(cause instanceof WeightError) || cause.message.startsWith(file)) throw cause;
    throw new WeightError(`${file}: ${cause.message}`, { cause });
  }
}
