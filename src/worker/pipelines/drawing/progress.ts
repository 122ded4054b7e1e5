import type { DrawingProgress } from '../../../shared/contracts/reply-event.ts';
import { encodePng } from '../../inputs/image.ts';
import { planeSizes, type FloatTensor } from '../network.ts';

/** Previews while drawing; the picture itself is the last. */
const previewCount = 5;
/** Longest side of a preview, pixels. */
export const previewSize = 256;

interface Watched {
  readonly onProgress?: (progress: DrawingProgress) => void;
}

/** Counts steps over base and refiner and tells how far a drawing is. */
export class Progress {
  readonly width: number;
  readonly height: number;
  readonly #request: Watched;
  readonly #steps: number;
  readonly #startedAt = performance.now();
  #done = 0;

  constructor(request: Watched, width: number, height: number, steps: number) {
    this.#request = request;
    this.width = width;
    this.height = height;
    this.#steps = steps;
    this.#tell(null);
  }

  /** Whether the step under way is one of those shown. */
  wantsPreview(): boolean {
    const every = Math.max(Math.floor(this.#steps / previewCount), 1);
    const step = this.#done + 1;
    return this.#request.onProgress !== undefined && step % every === 0 && step < this.#steps;
  }

  async step(preview: FloatTensor | null): Promise<void> {
    this.#done = Math.min(this.#done + 1, this.#steps);
    if (preview === null) return this.#tell(null);
    const { height, width } = planeSizes(preview);
    this.#tell(await encodePng(preview.data, width, height, { maxSize: previewSize }));
  }

  #tell(preview: DrawingProgress['preview']): void {
    const perStep = (performance.now() - this.#startedAt) / 1000 / Math.max(this.#done, 1);
    this.#request.onProgress?.({
      kind: 'drawing-step',
      step: this.#done,
      steps: this.#steps,
      secondsLeft: this.#done === 0 ? null : perStep * (this.#steps - this.#done),
      preview,
      width: this.width,
      height: this.height,
    });
  }
}
