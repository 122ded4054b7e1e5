/** Tensors that go into and come out of a session. */
import type Onnx from 'onnxruntime-node';
import { ort } from './onnx-runtime.ts';
import { RuntimeError } from './runtime-error.ts';

/** A tensor in this process's memory. float16 is held as its bits. */
export type HostTensor =
  | { readonly dtype: 'float32'; readonly dims: readonly number[]; readonly data: Float32Array }
  | { readonly dtype: 'float16'; readonly dims: readonly number[]; readonly data: Uint16Array }
  | { readonly dtype: 'int64'; readonly dims: readonly number[]; readonly data: BigInt64Array }
  | { readonly dtype: 'int32'; readonly dims: readonly number[]; readonly data: Int32Array }
  | {
      readonly dtype: 'uint8' | 'bool';
      readonly dims: readonly number[];
      readonly data: Uint8Array;
    };

/** A tensor in a GPU's memory (WebGPU only); its owner releases it. */
export class DeviceTensor {
  readonly #tensor: Onnx.Tensor;

  constructor(tensor: Onnx.Tensor) {
    this.#tensor = tensor;
  }

  get dims(): readonly number[] {
    return this.#tensor.dims;
  }

  /** For sessions only. */
  get native(): Onnx.Tensor {
    return this.#tensor;
  }

  /** Gives the memory back; the tensor cannot be used after. */
  release(): void {
    this.#tensor.dispose();
  }
}

/** What a session takes. */
export type SessionTensor = HostTensor | DeviceTensor;

/** A float32 tensor. */
export function float32Tensor(data: Float32Array, dims: readonly number[]): HostTensor {
  return { dtype: 'float32', dims, data };
}

/** An int64 tensor from plain numbers. */
export function int64Tensor(
  values: readonly number[] | Int32Array,
  dims: readonly number[],
): HostTensor {
  const data = new BigInt64Array(values.length);
  values.forEach((value, index) => {
    data[index] = BigInt(value);
  });
  return { dtype: 'int64', dims, data };
}

/** An int32 tensor. */
export function int32Tensor(
  values: readonly number[] | Int32Array,
  dims: readonly number[],
): HostTensor {
  return { dtype: 'int32', dims, data: Int32Array.from(values) };
}

/** For sessions: our tensor as the runtime's. The data is not copied. */
export function toNative(tensor: SessionTensor): Onnx.Tensor {
  if (tensor instanceof DeviceTensor) return tensor.native;
  const { dims } = tensor;
  switch (tensor.dtype) {
    case 'float32':
      return new ort.Tensor(tensor.dtype, tensor.data, dims);
    case 'int64':
      return new ort.Tensor(tensor.dtype, tensor.data, dims);
    case 'int32':
      return new ort.Tensor(tensor.dtype, tensor.data, dims);
    case 'uint8':
    case 'bool':
      return new ort.Tensor(tensor.dtype, tensor.data, dims);
    case 'float16': {
      const native = new ort.Tensor(tensor.dtype, tensor.data, dims);
      // Where the runtime has Float16Array, Tensor re-views the bits as one; Node 24's Node-API does not
      // know that type and the binding sees a tensor of no bytes (1.30). Give it the bits back.
      Object.defineProperty(native, 'cpuData', { value: tensor.data });
      return native;
    }
    default:
      return tensor satisfies never;
  }
}

/** For sessions: the runtime's tensor as ours. */
export function fromNative(tensor: Onnx.Tensor): SessionTensor {
  if (tensor.location === 'gpu-buffer') return new DeviceTensor(tensor);
  const { type: dtype, dims } = tensor;
  const data: unknown = tensor.data;
  if (dtype === 'float32' && data instanceof Float32Array) return { dtype, dims, data };
  if (dtype === 'int64' && data instanceof BigInt64Array) return { dtype, dims, data };
  if (dtype === 'int32' && data instanceof Int32Array) return { dtype, dims, data };
  if ((dtype === 'uint8' || dtype === 'bool') && data instanceof Uint8Array) {
    return { dtype, dims, data };
  }
  if (dtype === 'float16' && ArrayBuffer.isView(data)) {
    // A Float16Array where the runtime has them, else already a Uint16Array.
    const { buffer, byteOffset, byteLength } = data;
    return { dtype, dims, data: new Uint16Array(buffer, byteOffset, byteLength / 2) };
  }
  throw new RuntimeError(`an output of type ${dtype} is not supported`);
}
