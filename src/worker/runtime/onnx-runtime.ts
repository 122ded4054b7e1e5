/**
 * ONNX Runtime with its vendor's telemetry off. The one place that loads it (a boundary rule), so that nobody can
 * forget: left alone, 1.30 keeps a device id and a queue of events under the home folder and sends them.
 */
import { createRequire } from 'node:module';
import type Onnx from 'onnxruntime-node';
import { quietEnvironment } from '../../shared/quiet-environment.ts';
import { cudaPackage, cudaState, offerCuda } from './cuda.ts';
import type { CudaFacts } from '../../shared/domain/cuda.ts';

Object.assign(process.env, quietEnvironment);

const load = createRequire(import.meta.url);
offerCuda(load);

// An import would be evaluated before the lines above: always in a bundle, where all imports come first.
// eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- require() gives any
export const ort = load('onnxruntime-node') as typeof Onnx;

/** What is known of CUDA's provider in this process. */
export function cudaFacts(): CudaFacts {
  const { missing, ...rest } = cudaState();
  return { package: cudaPackage(load), ...rest, missing: [...missing] };
}
