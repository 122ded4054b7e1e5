import {
  decodeImage,
  pixelValues,
  type ImageProcessor,
  type PictureFile,
} from '../../inputs/image.ts';
import { qformerModel, vitModel } from '../../networks/models.ts';
import { float32Tensor, type Session } from '../../runtime/index.ts';
import { openCheckpoint } from '../../weights/index.ts';
import type { ModelFolder } from '../../../library/model-folder.ts';
import { openNetwork, rowSizes, runFloats, type FloatTensor, type Placement } from '../network.ts';
import type { Stretch } from '../language/sequence.ts';
import { targetOn } from '../target.ts';
import { openFittingProcessor } from './fitting-processor.ts';
import { readVisionConfigs } from './vision-configs.ts';

/** Pictures whose embeddings are kept: 32 rows of 4096 floats are half a MiB each. */
const keptPictures = 128;

/** The model's eyes: a picture becomes as many embeddings of the language model's width as there are queries. */
export class Vision {
  readonly #vit: Session;
  readonly #qformer: Session;
  readonly #processor: ImageProcessor;
  /** By the hash of the file, oldest first. */
  readonly #kept = new Map<string, Stretch>();

  private constructor(vit: Session, qformer: Session, processor: ImageProcessor) {
    this.#vit = vit;
    this.#qformer = qformer;
    this.#processor = processor;
  }

  /** @param languageHiddenSize width of the language model's embeddings */
  static async open(
    model: ModelFolder,
    languageHiddenSize: number,
    placement: Placement,
  ): Promise<Vision> {
    const configs = readVisionConfigs(model);
    const processor = openFittingProcessor(model.processor, configs.vit, configs.vitFile);
    const target = await targetOn(placement.provider);
    const qformerConfig = configs.qformer(languageHiddenSize);
    const vit = await openNetwork(
      vitModel(configs.vit, openCheckpoint(model.visionModel), target),
      placement,
    );
    const qformer = await openNetwork(
      qformerModel(qformerConfig, openCheckpoint(...model.qformer), target),
      placement,
    );
    return new Vision(vit, qformer, processor);
  }

  /**
   * The picture's place in a sequence: positions named by its hash, and their embeddings [queries, hidden].
   * @param name what errors call the file
   * @throws StudioError `bad-input` for a file that is not a picture, `cancelled` where the signal comes while it is
   * decoded
   */
  async embed(picture: PictureFile, name?: string, signal?: AbortSignal): Promise<Stretch> {
    const stretch = this.#kept.get(picture.hash) ?? (await this.#look(picture, name, signal));
    // Moved to the newest end.
    this.#kept.delete(picture.hash);
    this.#kept.set(picture.hash, stretch);
    const oldest = this.#kept.keys().next().value;
    if (this.#kept.size > keptPictures && oldest !== undefined) this.#kept.delete(oldest);
    return stretch;
  }

  /** pixel_values [1, 3, height, width] -> last_hidden_state [1, positions, hidden]. */
  async encode(pixels: Float32Array): Promise<FloatTensor> {
    const { width, height } = this.#processor;
    const feeds = { pixel_values: float32Tensor(pixels, [1, 3, height, width]) };
    return (await runFloats(this.#vit, feeds, ['last_hidden_state'])).last_hidden_state;
  }

  /** What the vision transformer sees in an encoded picture. */
  async lastHiddenState(bytes: Uint8Array): Promise<FloatTensor> {
    return this.encode(pixelValues(await decodeImage(bytes), this.#processor));
  }

  async #look(picture: PictureFile, name?: string, signal?: AbortSignal): Promise<Stretch> {
    const pixels = pixelValues(await decodeImage(picture.bytes, name, signal), this.#processor);
    const seen = await this.encode(pixels);
    const feeds = { encoder_hidden_states: float32Tensor(seen.data, seen.dims) };
    const { image_embeds: embeds } = await runFloats(this.#qformer, feeds, ['image_embeds']);
    const { count: queries } = rowSizes(embeds);
    return {
      positions: Array.from({ length: queries }, (_, index) => `${picture.hash}/${index}`),
      rows: Float32Array.from(embeds.data),
    };
  }

  async release(): Promise<void> {
    await this.#vit.release();
    await this.#qformer.release();
  }
}
