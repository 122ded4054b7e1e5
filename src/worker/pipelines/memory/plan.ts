/**
 * What is opened where, decided from configurations and headers before anything is loaded: a model that cannot fit is
 * told so in seconds.
 */
import { workerEnvironment } from '../../../shared/contracts/worker-protocol.ts';
import { StudioError } from '../../../shared/errors.ts';
import { bytesOnDisk } from '../../../library/models.ts';
import type { ModelFolder } from '../../../library/model-folder.ts';
import type { Provider } from '../../runtime/index.ts';
import { readDiffusion } from '../drawing/diffusion-config.ts';
import { drawingNeeds, type DrawingNeeds } from '../drawing/drawing-needs.ts';
import { targetOn } from '../target.ts';
import { availableMemory } from './available.ts';
import { conversationNeeds } from './conversation-needs.ts';
import { gigabytes, togetherBytes, type PartNeeds } from './needs.ts';

/**
 * How a model draws. `kept`: its networks stay open. `sparing`: each is open only while it is used. `apart`: in a
 * process of its own, which is started when it is needed.
 */
export type DrawingMode = 'kept' | 'sparing' | 'apart';

/** A process of its own costs a start and its libraries: what draws in less than this stays with the conversation. */
const apartFrom = 512e6;
/** What a model of so many bytes on disk could take once it is open, at most. */
const largestShare = 6;
const smallModel = 512e6;

/** Whether a model is so small beside the memory that a plan is not worth the time to make it. */
async function isSmall(model: ModelFolder, room: number): Promise<boolean> {
  const stored = await bytesOnDisk(model);
  return stored < smallModel && stored * largestShare < room;
}

/** What a model takes of memory on a provider, bytes. Nothing is loaded. */
export interface ModelNeeds {
  readonly conversation: readonly PartNeeds[];
  /** Reading and writing. */
  readonly talking: number;
  readonly drawing: DrawingNeeds | null;
}

/** @throws errors of configurations, graphs and weights that name what does not fit */
export async function modelNeeds(model: ModelFolder, provider: Provider): Promise<ModelNeeds> {
  const conversation = conversationNeeds(model, await targetOn(provider));
  const { imageDecoder } = model;
  const drawing = imageDecoder && (await decoderNeeds(imageDecoder, provider));
  return { conversation, talking: togetherBytes(conversation), drawing };
}

/**
 * Plans a model. On a GPU nothing is known of its memory, so that everything is tried as it always was.
 *
 * @param canDrawApart whether somebody starts a process for drawing when it is asked for
 * @throws StudioError `out-of-memory` where not even the conversation fits
 */
export async function planModel(
  model: ModelFolder,
  provider: Provider,
  canDrawApart: boolean,
): Promise<DrawingMode> {
  const room = availableMemory();
  const told = process.env[workerEnvironment.drawApart];
  const wantsApart = canDrawApart && told !== undefined && told !== '';
  if (provider !== 'cpu' || (!wantsApart && (await isSmall(model, room)))) return 'kept';
  const { conversation, talking, drawing } = await modelNeeds(model, provider);
  if (talking > room) throw tooLarge(model, conversation, talking, room);
  if (drawing === null) return 'kept';
  const least = wantsApart ? Number(told) : apartFrom;
  if (canDrawApart && drawing.kept >= least) return 'apart';
  return talking + drawing.kept <= room ? 'kept' : 'sparing';
}

/** What drawing takes, at the decoder's own size. */
export async function decoderNeeds(
  { base, refiner }: NonNullable<ModelFolder['imageDecoder']>,
  provider: Provider,
): Promise<DrawingNeeds> {
  const config = await readDiffusion(base);
  const second = refiner === null ? null : await readDiffusion(refiner, config);
  const side = config.defaultSize;
  return drawingNeeds(config, second, await targetOn(provider), { width: side, height: side });
}

/**
 * How the process that draws opens its part.
 *
 * @param sparing whether to spare memory whatever is free, for instance after it ran out
 */
export async function planDrawingPart(
  decoder: NonNullable<ModelFolder['imageDecoder']>,
  provider: Provider,
  sparing: boolean,
): Promise<Exclude<DrawingMode, 'apart'>> {
  if (provider !== 'cpu') return sparing ? 'sparing' : 'kept';
  if (sparing) return 'sparing';
  return (await decoderNeeds(decoder, provider)).kept <= availableMemory() ? 'kept' : 'sparing';
}

function tooLarge(
  model: ModelFolder,
  parts: readonly PartNeeds[],
  needed: number,
  room: number,
): StudioError {
  const each = parts.map(({ part, held }) => `${part} ${gigabytes(held)}`).join(', ');
  return new StudioError(
    'out-of-memory',
    `${model.manifest.name} needs about ${gigabytes(needed)} of memory (${each}), and ${gigabytes(room)} are free. Close other programs, or import it with quantised weights.`,
  );
}
