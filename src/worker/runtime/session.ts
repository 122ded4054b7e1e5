/**
 * A session: one ONNX model made ready to run on one provider. Knows nothing of networks.
 *
 * Both opening and running block the thread, whatever their promises suggest (engine facts, 1), so
 * the engine has a process of its own and is cancelled between runs.
 */
import { availableParallelism } from 'node:os';
import type Onnx from 'onnxruntime-node';
import { ort } from './onnx-runtime.ts';
import type { Provider } from './providers.ts';
import { RuntimeError } from './runtime-error.ts';
import type { HostTensor, SessionTensor } from './tensor.ts';
import { DeviceTensor, fromNative, toNative } from './tensor.ts';
import { reasonOf } from '../../shared/errors.ts';

/** How to open a session. */
export interface SessionOptions {
  readonly provider: Provider;
  /** The folder that the model's external data is relative to. Only read. */
  readonly weightsFolder?: string;
  /** External data that is in memory, by the names that the model has for its files; then none is read from disk. */
  readonly memoryFiles?: ReadonlyMap<string, Uint8Array>;
  /** Threads on the CPU; default: physical cores, taken as half of more than four logical ones. */
  readonly threads?: number;
  /** Outputs that stay in the GPU's memory (WebGPU only; elsewhere they come as host tensors). */
  readonly keepOnDevice?: readonly string[];
  /** Spin between operations: faster for many small ones, at the price of CPU time. Default off. */
  readonly spinning?: boolean;
  /** Do not lay weights out anew: half the memory, slower matrix products. */
  readonly keepWeightsMapped?: boolean;
  /** Give what a run works with back after it, where a session would keep the most that it ever needed (CPU). */
  readonly givesBack?: boolean;
  /** More of ONNX Runtime's session configuration entries. */
  readonly config?: Readonly<Record<string, string>>;
}

// What fails is thrown and told by us; the runtime's own lines on stderr would come on top (a missing CUDA library is
// no error of a machine without one).
ort.env.logLevel = 'fatal';

/** Tensors by name. */
export type Tensors = Readonly<Record<string, SessionTensor>>;

function defaultThreads(): number {
  const logical = availableParallelism();
  return logical > 4 ? Math.floor(logical / 2) : logical;
}

interface Nested {
  [part: string]: string | Nested;
}

/** `{'session.a.b': '1'}` as the nested object the binding flattens again. */
function nested(entries: Readonly<Record<string, string>>): Nested {
  const root: Nested = {};
  for (const [key, value] of Object.entries(entries)) {
    const parts = key.split('.');
    const last = parts.pop() ?? key;
    let level = root;
    for (const part of parts) {
      const next = level[part] ?? {};
      if (typeof next === 'string') throw new RuntimeError(`${key}: ${part} is an entry itself`);
      level[part] = next;
      level = next;
    }
    level[last] = value;
  }
  return root;
}

function configEntries(options: SessionOptions): Record<string, string> {
  const entries: Record<string, string> = {
    'session.intra_op.allow_spinning': options.spinning ? '1' : '0',
  };
  if (options.weightsFolder !== undefined) {
    entries['session.model_external_initializers_file_folder_path'] = options.weightsFolder;
  }
  if (options.keepWeightsMapped) entries['session.disable_prepacking'] = '1';
  return { ...entries, ...options.config };
}

function memoryFiles(files: ReadonlyMap<string, Uint8Array>) {
  return [...files].map(([path, data]) => ({ path, data }));
}

function nativeOptions(options: SessionOptions): Onnx.InferenceSession.SessionOptions {
  const providers = options.provider === 'cpu' ? ['cpu'] : [options.provider, 'cpu'];
  const kept = options.provider === 'webgpu' ? (options.keepOnDevice ?? []) : [];
  return {
    executionProviders: providers,
    intraOpNumThreads: options.threads ?? defaultThreads(),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
    logSeverityLevel: 3,
    enableCpuMemArena: options.givesBack !== true,
    extra: nested(configEntries(options)),
    ...(options.memoryFiles === undefined
      ? {}
      : { externalData: memoryFiles(options.memoryFiles) }),
    ...(kept.length > 0
      ? {
          preferredOutputLocation: Object.fromEntries(
            kept.map((name) => [name, 'gpu-buffer'] as const),
          ),
        }
      : {}),
  };
}

/** An open session. Release it when done: a garbage collector does not see its memory. */
export class Session {
  readonly provider: Provider;
  readonly #session: Onnx.InferenceSession;
  #released = false;

  private constructor(session: Onnx.InferenceSession, provider: Provider) {
    this.#session = session;
    this.provider = provider;
  }

  /**
   * Opens a model given as bytes.
   *
   * @throws RuntimeError if the runtime refuses it.
   */
  static async open(model: Uint8Array, options: SessionOptions): Promise<Session> {
    try {
      const session = await ort.InferenceSession.create(model, nativeOptions(options));
      return new Session(session, options.provider);
    } catch (cause) {
      const reason = reasonOf(cause);
      throw new RuntimeError(`the model could not be opened on ${options.provider}: ${reason}`, {
        cause,
      });
    }
  }

  get inputNames(): readonly string[] {
    return this.#session.inputNames;
  }

  get outputNames(): readonly string[] {
    return this.#session.outputNames;
  }

  /**
   * Runs the model.
   *
   * @param outputs the outputs wanted; default all. What is not asked for is not copied.
   * @throws RuntimeError if the session is released or the runtime fails.
   */
  async run(
    feeds: Tensors,
    outputs: readonly string[] = this.outputNames,
  ): Promise<Record<string, SessionTensor>> {
    if (this.#released) throw new RuntimeError('the session was released');
    const native = Object.fromEntries(
      Object.entries(feeds).map(([name, tensor]) => [name, toNative(tensor)] as const),
    );
    let results: Onnx.InferenceSession.ReturnType;
    try {
      results = await this.#session.run(native, outputs);
    } catch (cause) {
      const reason = reasonOf(cause);
      throw new RuntimeError(`the model failed: ${reason}`, { cause });
    }
    return Object.fromEntries(
      outputs.map((name) => {
        const output = results[name];
        if (!output) throw new RuntimeError(`the model gave no output "${name}"`);
        return [name, fromNative(output)];
      }),
    );
  }

  /** Gives the session's memory back. */
  async release(): Promise<void> {
    if (this.#released) return;
    this.#released = true;
    await this.#session.release();
  }
}

/**
 * The output of this name.
 *
 * @throws RuntimeError where the run gave none.
 */
export function outputOf(
  outputs: Readonly<Record<string, SessionTensor>>,
  name: string,
): SessionTensor {
  const tensor = outputs[name];
  if (!tensor) throw new RuntimeError(`the model gave no output "${name}"`);
  return tensor;
}

/** The host tensor of this name and type among a run's outputs. */
export function hostOutput<T extends HostTensor['dtype']>(
  outputs: Readonly<Record<string, SessionTensor>>,
  name: string,
  dtype: T,
): Extract<HostTensor, { dtype: T }> {
  const tensor = outputs[name];
  if (!tensor || tensor instanceof DeviceTensor || tensor.dtype !== dtype) {
    throw new RuntimeError(`output "${name}" is not a ${dtype} tensor in memory`);
  }
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- checked above; a generic is not narrowed
  return tensor as Extract<HostTensor, { dtype: T }>;
}
