/**
 * ONNX Runtime with its vendor's telemetry off. The one place that loads it (a boundary rule), so that nobody can
 * forget: left alone, 1.30 keeps a device id and a queue of events under the home folder and sends them.
 */
import { createRequire } from 'node:module';
import type Onnx from 'onnxruntime-node';
import { quietEnvironment } from '../../shared/quiet-environment.ts';

Object.assign(process.env, quietEnvironment);

// An import would be evaluated before the line above: always in a bundle, where all imports come first.
// eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- require() gives any
export const ort = createRequire(import.meta.url)('onnxruntime-node') as typeof Onnx;
