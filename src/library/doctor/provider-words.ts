import type { TriedProvider } from '../../shared/domain/doctor.ts';

type Provider = TriedProvider['provider'];

/** Its library can be fetched under Models. */
export const cudaNotFetched =
  'There is an NVIDIA GPU, but the library that the engine needs for CUDA was not fetched.';

/** Why a provider cannot be used, in a person's words. `detail` is what the runtime says. */
export function whyNotProvider(provider: Provider, detail: string, hasNvidia: boolean): string {
  if (provider === 'cuda') return whyNoCuda(detail, hasNvidia);
  if (provider === 'webgpu') {
    if (/software/.test(detail)) return 'The graphics driver here computes on the processor.';
    if (/adapter|Vulkan|no supported|lambda|device/i.test(detail)) {
      return 'No GPU with a Vulkan, Metal or Direct3D driver was found.';
    }
  }
  return `It does not work: ${firstLine(detail)}`;
}

function whyNoCuda(detail: string, hasNvidia: boolean): string {
  if (!hasNvidia) return 'No NVIDIA GPU was found.';
  if (/was not fetched/.test(detail)) return cudaNotFetched;
  const missing = /\(not found: ([^)]+)\)/.exec(detail)?.[1];
  if (missing?.includes('libcuda.so') === true)
    return 'There is an NVIDIA GPU, but its driver is not installed.';
  const library = missing ?? /(lib(?:cudnn|cublas|cudart|cufft|curand)[\w.]*)/.exec(detail)?.[1];
  if (library !== undefined) return `There is an NVIDIA GPU, but not installed: ${library}.`;
  if (/providers_cuda|not available|not supported|backend not found/i.test(detail)) {
    return 'There is an NVIDIA GPU, but the CUDA libraries of the engine are not installed.';
  }
  const failure = /CUDA failure \d+: ([^;]+?) ?;/.exec(detail)?.[1];
  return `There is an NVIDIA GPU, but CUDA does not work: ${failure ?? firstLine(detail)}`;
}

export function firstLine(text: string): string {
  return text.split('\n', 1).join('').trim();
}
