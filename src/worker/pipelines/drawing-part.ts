import type { WorkerRequestBody } from '../../shared/contracts/worker-protocol.ts';
import { StudioError } from '../../shared/errors.ts';
import { readModelFolder } from '../../library/model-folder.ts';
import { chooseProvider } from '../runtime/index.ts';
import { Drawer } from './drawing/drawer.ts';
import { nextTurnOfLoop } from './language/sequence.ts';
import { planDrawingPart } from './memory/plan.ts';
import { toStudioError } from './model-errors.ts';
import { drawingPartCount, wantedProviders, type OpeningProgress } from './textbind-model.ts';

/**
 * Opens the drawing part of a model, for the process that only draws: its networks at once where the memory is there,
 * else each when it is used.
 * @throws StudioError naming what is missing or does not fit
 */
export async function openDrawingPart(
  { folder, provider, sparing }: WorkerRequestBody<'drawing.open'>,
  onProgress: (progress: OpeningProgress) => void,
): Promise<Drawer> {
  const model = readModelFolder(folder);
  const total = drawingPartCount(model);
  let done = 0;
  const onPart = async (part: string): Promise<void> => {
    onProgress({ kind: 'opening', part, done, total });
    done += 1;
    await nextTurnOfLoop();
  };
  try {
    const choice = await chooseProvider(wantedProviders(provider));
    const mode =
      model.imageDecoder && (await planDrawingPart(model.imageDecoder, choice.provider, sparing));
    const placement = { provider: choice.provider };
    const drawer = await Drawer.open(model, placement, { sparing: mode === 'sparing', onPart });
    if (drawer !== null) return drawer;
  } catch (error) {
    throw toStudioError(error);
  }
  throw new StudioError('unsupported', `${model.manifest.name} has no image decoder.`);
}
