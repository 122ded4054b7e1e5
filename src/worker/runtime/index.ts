/** Running ONNX models. */
export type { Provider, ProviderChoice, ProviderReport } from './providers.ts';
export {
  chooseProvider,
  probeProvider,
  probeProviders,
  tryProvider,
  useProviderProbe,
} from './providers.ts';
export { cudaFacts } from './onnx-runtime.ts';
export { RuntimeError } from './runtime-error.ts';
export type { SessionOptions, Tensors } from './session.ts';
export { Session, hostOutput, outputOf } from './session.ts';
export type { HostTensor, SessionTensor } from './tensor.ts';
export { DeviceTensor, float32Tensor, int32Tensor, int64Tensor } from './tensor.ts';
