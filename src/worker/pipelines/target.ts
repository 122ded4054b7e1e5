import type { BuildTarget } from '../networks/index.ts';
import type { Provider } from '../runtime/index.ts';

/** CUDA's kernels for attention and group normalisation want half precision (`engine.md` fact 5). */
export function buildTarget(provider: Provider): BuildTarget {
  return { provider, precision: provider === 'cuda' ? 'float16' : 'float32' };
}
