import { targetFor, type BuildTarget } from '../networks/index.ts';
import { hasEightBitProducts } from './language/eight-bit-products.ts';

/** What networks are built for on a provider of this machine: folded matrices stay folded where products of them pay. */
export async function targetOn(provider: BuildTarget['provider']): Promise<BuildTarget> {
  const target = targetFor(provider);
  if (provider !== 'cpu' || !(await hasEightBitProducts())) return target;
  return { ...target, folded: 'eightBits' };
}
