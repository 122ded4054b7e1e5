/** What the engine runs on, in a person's words: what a runtime says of a missing library is no sentence for anybody. */
import type { ProviderReport } from '../../shared/domain/engine-status.ts';
import { said, t } from '../texts.svelte.ts';

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

type Lack = 'no-device' | 'not-fetched' | 'libraries' | 'build' | 'software' | 'other';

/** What a runtime means when it cannot have a provider. */
export function lackOf(reason: string): Lack {
  if (/driver here is software/i.test(reason)) return 'software';
  if (/was not fetched/.test(reason)) return 'not-fetched';
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
  const details = fallbacks.map(
    (each) => t.engine.providers[each.provider] + t.common.colon + each.reason,
  );
  const used = t.engine.runsOn(t.engine.providers[provider]);
  if (fallbacks.length === 0 || provider === 'cuda') {
    return { says: used, mend: null, tone: 'calm', details };
  }
  const nvidia = cards.find((card) => /nvidia/i.test(card));
  const cuda = fallbacks.find((each) => each.provider === 'cuda');
  if (nvidia !== undefined && cuda !== undefined) {
    return {
      says: t.engine.isInThisComputerAnd(said(nvidia), used),
      mend: mendOfCuda(cuda.reason),
      tone: 'loud',
      details,
    };
  }
  if (provider === 'webgpu') return { says: used, mend: null, tone: 'calm', details };
  const [card] = cards;
  if (card === undefined) {
    return { says: t.engine.noGpuFoundUsingProcessor, mend: null, tone: 'calm', details };
  }
  const mend = t.engine.itsDriverMayBeMissing;
  return {
    says: t.engine.isInThisComputerAndIs(said(card), used),
    mend,
    tone: 'loud',
    details,
  };
}

function mendOfCuda(reason: string): string {
  switch (lackOf(reason)) {
    case 'not-fetched':
      return t.engine.cudaCanBeFetched;
    case 'libraries':
      return t.engine.cudaAndCudnn9(cudaVersionOf(reason));
    case 'no-device':
      return t.engine.itsDriverDoesNotAnswer;
    case 'build':
      return t.engine.thisBuildOfAppHas;
    case 'software':
    case 'other':
      return t.engine.detailsSayWhatCudaAnswered;
  }
}

/** Which CUDA a library of its runtime belongs to, e.g. `CUDA 12` for libcublas.so.12. */
export function cudaVersionOf(libraries: string): string {
  const major = /lib(?:cudart|cublas|cublasLt)\.so\.(\d+)/.exec(libraries)?.[1];
  return major === undefined ? 'CUDA' : `CUDA ${major}`;
}

/** Why a provider cannot be chosen here; null where it can, or nobody has tried. */
export function whyNotProvider(
  wanted: 'cuda' | 'webgpu',
  report: ProviderReport | null,
): string | null {
  const lack = report?.fallbacks.find(({ provider }) => provider === wanted);
  return lack === undefined ? null : t.engine.cannotRunHere;
}
