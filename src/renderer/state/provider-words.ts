/** What the engine runs on, in a person's words: what a runtime says of a missing library is no sentence for anybody. */
import type { ProviderReport } from '../../shared/domain/engine-status.ts';

export interface ProviderWords {
  /** One sentence. */
  readonly says: string;
  /** What to do about it; null where nothing is to be done. */
  readonly mend: string | null;
  /** `loud`: a graphics card is there and is not used. */
  readonly tone: 'calm' | 'loud';
  /** What the runtime said, for who wants to know. */
  readonly details: readonly string[];
}

const names = { cuda: 'CUDA', webgpu: 'WebGPU', cpu: 'the processor' } as const;

type Lack = 'no-device' | 'libraries' | 'build' | 'software' | 'other';

/** What a runtime means when it cannot have a provider. */
export function lackOf(reason: string): Lack {
  if (/driver here is software/i.test(reason)) return 'software';
  const noDevice =
    /no CUDA.capable device|CUDA_ERROR_NO_DEVICE|cudaErrorNoDevice|libcuda\.so|nvcuda\.dll|no (suitable )?adapter|failed to (get|request) (a )?(gpu )?adapter|no GPU|no supported adapters|insufficient driver|driver version is insufficient/i;
  if (noDevice.test(reason)) return 'no-device';
  if (
    /libcu|libcudnn|cudart|cublas|cudnn|cannot open shared object|error 126|LoadLibrary/i.test(
      reason,
    )
  ) {
    return 'libraries';
  }
  if (
    /not (found|available|supported|registered|enabled)|no available backend|unknown provider|not been built/i.test(
      reason,
    )
  ) {
    return 'build';
  }
  return 'other';
}

/** @param cards graphics cards of this machine that could be used, by name */
export function providerWords(
  { provider, fallbacks }: ProviderReport,
  cards: readonly string[],
): ProviderWords {
  const details = fallbacks.map((each) => `${names[each.provider]}: ${each.reason}`);
  const used = `Runs on ${names[provider]}.`;
  if (fallbacks.length === 0 || provider === 'cuda') {
    return { says: used, mend: null, tone: 'calm', details };
  }
  const nvidia = cards.find((card) => /nvidia/i.test(card));
  const cuda = fallbacks.find((each) => each.provider === 'cuda');
  if (nvidia !== undefined && cuda !== undefined) {
    return {
      says: `${nvidia} is in this computer and is not used with CUDA. ${used}`,
      mend: mendOfCuda(cuda.reason),
      tone: 'loud',
      details,
    };
  }
  if (provider === 'webgpu') return { says: used, mend: null, tone: 'calm', details };
  const [card] = cards;
  if (card === undefined) {
    return { says: 'No GPU found; using the processor.', mend: null, tone: 'calm', details };
  }
  const mend =
    'Its driver may be missing or too old for Vulkan; the newest one from its maker helps most.';
  return {
    says: `${card} is in this computer and is not used. ${used}`,
    mend,
    tone: 'loud',
    details,
  };
}

function mendOfCuda(reason: string): string {
  switch (lackOf(reason)) {
    case 'libraries':
      return 'CUDA 12 and cuDNN 9 are needed and were not found. Install both, then restart the engine.';
    case 'no-device':
      return 'Its driver does not answer. Install NVIDIA’s driver, or restart the computer after an update of it.';
    case 'build':
      return 'This build of the app has no CUDA for this system.';
    case 'software':
    case 'other':
      return 'The details say what CUDA answered.';
  }
}

/** Why a provider cannot be chosen here; null where it can, or nobody has tried. */
export function whyNotProvider(
  wanted: 'cuda' | 'webgpu',
  report: ProviderReport | null,
): string | null {
  const lack = report?.fallbacks.find(({ provider }) => provider === wanted);
  return lack === undefined ? null : 'cannot run here';
}
