import type { DrawingProgress, DrawnPicture } from '../../../shared/contracts/reply-event.ts';
import type { WorkerRequestBody } from '../../../shared/contracts/worker-protocol.ts';
import { StudioError } from '../../../shared/errors.ts';
import type { ModelFolder } from '../../../library/model-folder.ts';
import { freshSeed } from '../../sampling/random.ts';
import { availableMemory } from '../memory/available.ts';
import { gigabytes } from '../memory/needs.ts';
import { toStudioError } from '../model-errors.ts';
import type { Placement } from '../network.ts';
import { drawingNeeds } from './drawing-needs.ts';
import { Painter, type PainterOptions } from './painter.ts';
import { readStartImage } from './start-picture.ts';

/** Draws one caption. Throws when it cannot, or when the signal is aborted. */
export type Draw = (
  request: WorkerRequestBody<'draw'>,
  onProgress: (progress: DrawingProgress) => void,
  signal: AbortSignal,
) => Promise<DrawnPicture>;

/** How a drawing part draws. */
interface Manner {
  /** What recipes call the model. */
  readonly model: string;
  /** Where a request leaves it open. */
  readonly guidance: number;
  readonly provider: Placement['provider'];
  readonly sparing: boolean;
}

/** A model's drawing part that is open: from a caption to a picture with its recipe. */
export class Drawer {
  readonly painter: Painter;
  readonly #manner: Manner;

  private constructor(painter: Painter, manner: Manner) {
    this.painter = painter;
    this.#manner = manner;
  }

  /**
   * Opens a model's drawing part; null where it has none.
   * @throws StudioError or errors of graphs and weights that name what does not fit
   */
  static async open(
    model: ModelFolder,
    placement: Placement,
    options: PainterOptions = {},
  ): Promise<Drawer | null> {
    const { imageDecoder, manifest } = model;
    if (imageDecoder === null) return null;
    return new Drawer(await Painter.open(imageDecoder, placement, options), {
      model: manifest.name,
      guidance: imageDecoder.guidance,
      provider: placement.provider,
      sparing: options.sparing ?? false,
    });
  }

  /** Whether each network is open only while it is used. */
  get sparing(): boolean {
    return this.#manner.sparing;
  }

  get sessionCount(): number {
    return this.painter.sessionCount;
  }

  draw: Draw = async ({ caption, drawing, size = drawing.size, from }, onProgress, signal) => {
    if (!drawing.enabled) throw new StudioError('unsupported', 'Drawing is switched off.');
    const startedAt = performance.now();
    const { steps, negative } = drawing;
    const guidance = drawing.guidance ?? this.#manner.guidance;
    const seed = drawing.seed ?? freshSeed();
    try {
      this.#mustFit(size);
      const request = { prompt: caption, negative, seed, steps, guidance, onProgress, signal };
      const start = from && {
        image: await readStartImage(from.path, size ?? this.#ownSize(), signal),
        strength: from.strength,
      };
      const { png, width, height } = await this.painter.draw({
        ...{ ...request, ...size },
        ...(start === undefined ? {} : { start }),
      });
      return {
        kind: 'picture',
        png,
        width,
        height,
        caption,
        recipe: {
          ...{ seed, steps, guidance, model: this.#manner.model },
          ...(negative === '' ? {} : { negative }),
          ...(from === undefined ? {} : { strength: from.strength }),
        },
        seconds: (performance.now() - startedAt) / 1000,
      };
    } catch (error) {
      throw toStudioError(error);
    }
  };

  release(): Promise<void> {
    return this.painter.release();
  }

  #ownSize() {
    const side = this.painter.config.defaultSize;
    return { width: side, height: side };
  }

  /** Where nothing is open yet, whether it can be is known beforehand. */
  #mustFit(size: WorkerRequestBody<'draw'>['size']): void {
    const { sparing, provider } = this.#manner;
    if (!sparing || provider !== 'cpu') return;
    const { config, refinerConfig, target } = this.painter;
    const asked = size ?? this.#ownSize();
    const needed = drawingNeeds(config, refinerConfig, target, asked).sparing;
    const room = availableMemory();
    if (needed <= room) return;
    const smallest = { width: config.scale, height: config.scale };
    const least = drawingNeeds(config, refinerConfig, target, smallest).sparing;
    const hint =
      least <= room ? 'A smaller picture may fit.' : 'Close other programs and draw again.';
    throw new StudioError(
      'out-of-memory',
      `Drawing ${asked.width} x ${asked.height} needs about ${gigabytes(needed)} of memory, and ${gigabytes(room)} are free. ${hint}`,
    );
  }
}
