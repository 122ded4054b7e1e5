import { StudioError } from '../../shared/errors.ts';
import { firstNotFinite, readPartOfTensor, type Checkpoint } from '../weights/index.ts';
import { pause } from './pause.ts';

/** Buffers that older libraries saved beside the weights; they are computed, so nothing is lost without them. */
const buffers = /(^|\.)(position_ids|inv_freq|masked_bias|num_batches_tracked)$/;
/** Of each tensor so many bytes are looked at; norms and biases, where a broken training shows, are smaller. */
const lookedAtBytes = 65_536;
const shownNames = 3;

/**
 * What a network does not use of its weights, as a warning; null where that is nothing.
 * @param isOurs leaves out names that belong to another network of the same file
 * @throws StudioError `model-invalid` where whole layers are left over: then the config is another model's
 */
export function checkUnused(
  weights: Checkpoint,
  unused: readonly string[],
  isOurs: (name: string) => boolean = () => true,
): string | null {
  const left = unused.filter((name) => isOurs(name) && !buffers.test(name));
  const source = weights.source ?? weights.folder;
  if (left.length === 0) return null;
  const leftNames = new Set(unused);
  const layers = new Set([...weights.names()].filter((name) => !leftNames.has(name)).map(layerOf));
  const surplus = left.map(layerOf).find((layer) => layer !== null && !layers.has(layer));
  if (surplus !== undefined) {
    throw new StudioError(
      'model-invalid',
      `${source}: holds "${surplus}", a layer that config.json does not count; the config is another model's`,
    );
  }
  const names = left.slice(0, shownNames).map((name) => `"${name}"`);
  const rest = left.length > shownNames ? ` and ${left.length - shownNames} more` : '';
  return `${source}: ${left.length === 1 ? 'a tensor is' : `${left.length} tensors are`} not used: ${names.join(', ')}${rest}`;
}

/** `model.layers.3` of `model.layers.3.mlp.up_proj.weight`: up to its last number that names a part. */
function layerOf(name: string): string | null {
  return (
    /^(?:.*\.)?(?:layers?|down_blocks|up_blocks|resnets|attentions|transformer_blocks)\.\d+(?=\.)/.exec(
      name,
    )?.[0] ?? null
  );
}

/**
 * Looks at the beginning of every tensor for infinities and NaN.
 * @throws StudioError `model-invalid` naming the file and the tensor; the signal's reason
 */
export async function checkFinite(weights: Checkpoint, signal?: AbortSignal): Promise<void> {
  for (const name of weights.names()) {
    await pause(signal);
    const stored = weights.find(name);
    if (stored === undefined) continue;
    const bytes = readPartOfTensor(weights, name, lookedAtBytes);
    const at = firstNotFinite(stored.dtype, bytes);
    if (at < 0) continue;
    throw new StudioError(
      'model-invalid',
      `${weights.source ?? weights.folder}: tensor "${name}" holds an infinity or NaN at place ${at}; the weights are broken`,
    );
  }
}
