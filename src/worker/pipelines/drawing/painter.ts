import { join } from 'node:path';
import type { DrawingProgress } from '../../../shared/contracts/reply-event.ts';
import { StudioError } from '../../../shared/errors.ts';
import { encodePng } from '../../inputs/image.ts';
import { targetFor } from '../../networks/index.ts';
import { clipTextModel, unetModel, vaeDecoderModel } from '../../networks/models.ts';
import { float32Tensor, type Session } from '../../runtime/index.ts';
import { normalNoise, RandomNumbers } from '../../sampling/random.ts';
import {
  baseSteps,
  entryAt,
  guide,
  refinerSteps,
  type Scheduler,
  type StepRange,
} from '../../sampling/scheduler.ts';
import { openCheckpoint } from '../../weights/index.ts';
import {
  batchOfTwo,
  encodeConditions,
  encodePooled,
  type Conditions,
  type TextEncoders,
} from './conditions.ts';
import { decodeLatents } from './decode-latents.ts';
import { readDiffusion, type DiffusionConfig } from './diffusion-config.ts';
import type { ModelFolder } from '../../../library/model-folder.ts';
import {
  openNetwork,
  planeSizes,
  runFloats,
  type FloatTensor,
  type Placement,
} from '../network.ts';
import { nextTurnOfLoop } from '../language/sequence.ts';

/** `textbind.md` section 4: the refiner takes over where a fifth of the noise is left. */
const refinerShare = 0.8;
/** Previews while drawing; the picture itself is the last. */
const previewCount = 5;
/** Longest side of a preview, pixels. */
const previewSize = 256;

export interface DrawRequest {
  readonly prompt: string;
  /** Empty: none. */
  readonly negative: string;
  readonly seed: number;
  readonly steps: number;
  readonly guidance: number;
  /** Pixels, multiples of the VAE's scale; the model's own size where they are left out. */
  readonly width?: number;
  readonly height?: number;
  /** Starting noise of unit variance [1, channels, height, width] in place of the seed's. */
  readonly latents?: Float32Array;
  readonly onProgress?: (progress: DrawingProgress) => void;
  readonly signal?: AbortSignal;
}

export interface PaintedPicture {
  /** [1, 3, height, width], -1 to 1. */
  readonly image: FloatTensor;
  /** [1, channels, height, width] as the last step left them. */
  readonly latents: FloatTensor;
  readonly png: Uint8Array<ArrayBuffer>;
  readonly width: number;
  readonly height: number;
}

/** One diffusers pipeline whose sessions are open. */
interface OpenDiffusion extends TextEncoders {
  readonly config: DiffusionConfig;
  readonly unet: Session;
  /** The sessions that this pipeline opened itself. */
  readonly own: readonly Session[];
}

/** The model's hand: SDXL's base, and its refiner where the model has one. */
export class Painter {
  readonly #base: OpenDiffusion;
  readonly #refiner: OpenDiffusion | null;
  readonly #vaeDecoder: Session;

  private constructor(base: OpenDiffusion, refiner: OpenDiffusion | null, vaeDecoder: Session) {
    this.#base = base;
    this.#refiner = refiner;
    this.#vaeDecoder = vaeDecoder;
  }

  /** @throws StudioError or errors of graphs and weights that name what does not fit */
  static async open(
    folders: Pick<NonNullable<ModelFolder['imageDecoder']>, 'base' | 'refiner'>,
    placement: Placement,
    onPart: (part: string) => Promise<void> = async () => {},
  ): Promise<Painter> {
    const baseConfig = await readDiffusion(folders.base);
    const base = await openDiffusion(baseConfig, placement, onPart);
    await onPart('VAE');
    const target = targetFor(placement.provider);
    // SDXL's VAE overflows in half precision (its config says force_upcast).
    const vaeTarget = { ...target, precision: 'float32' } as const;
    const vaeWeights = openCheckpoint(join(folders.base, 'vae'));
    const vaeDecoder = await openNetwork(
      vaeDecoderModel(baseConfig.vae, vaeWeights, vaeTarget),
      placement,
    );
    if (folders.refiner === null) return new Painter(base, null, vaeDecoder);
    const refinerConfig = await readDiffusion(folders.refiner, baseConfig);
    const refiner = await openDiffusion(refinerConfig, placement, onPart, base);
    return new Painter(base, refiner, vaeDecoder);
  }

  get config(): DiffusionConfig {
    return this.#base.config;
  }

  get sessionCount(): number {
    return this.#base.own.length + (this.#refiner?.own.length ?? 0) + 1;
  }

  /** The second text encoder's pooled output [width]: the side of a CLIP pair that pictures are compared with. */
  async pooledText(text: string): Promise<Float32Array> {
    return encodePooled(this.#base.config, this.#base, text);
  }

  /** Draws. Cancelled between steps. */
  async draw(request: DrawRequest): Promise<PaintedPicture> {
    const { width, height, shape } = this.#sizes(request);
    const scheduler = this.config.makeScheduler(request.steps);
    const random = new RandomNumbers(request.seed);
    const split = this.#refiner !== null;
    const range = split
      ? baseSteps(scheduler, refinerShare)
      : { from: 0, to: scheduler.timesteps.length };
    const progress = new Progress(request, width, height, scheduler.timesteps.length);
    let latents: Float32Array = this.#noise(request, shape, random).map(
      (value) => value * scheduler.initNoiseSigma,
    );
    latents = await this.#denoise(this.#base, {
      request,
      scheduler,
      random,
      range,
      latents,
      shape,
      progress,
    });
    if (this.#refiner !== null) {
      const late = this.#refiner.config.makeScheduler(request.steps);
      const rest = refinerSteps(late, refinerShare);
      latents = await this.#denoise(this.#refiner, {
        request,
        scheduler: late,
        random,
        range: rest,
        latents,
        shape,
        progress,
      });
    }
    const image = await this.#decode({ dims: shape, data: latents }, request.signal);
    const png = await encodePng(image.data, width, height);
    return { image, latents: { dims: shape, data: latents }, png, width, height };
  }

  #sizes(request: DrawRequest) {
    const { scale, defaultSize, unet } = this.config;
    const width = request.width ?? defaultSize;
    const height = request.height ?? defaultSize;
    if (width % scale !== 0 || height % scale !== 0 || width < scale || height < scale) {
      throw new StudioError(
        'bad-input',
        `a picture of ${width} x ${height}: both sides must be multiples of ${scale}`,
      );
    }
    return { width, height, shape: [1, unet.inChannels, height / scale, width / scale] };
  }

  #noise(request: DrawRequest, shape: readonly number[], random: RandomNumbers): Float32Array {
    const count = shape.reduce((product, side) => product * side, 1);
    if (request.latents === undefined) return normalNoise(random, count);
    if (request.latents.length !== count) {
      throw new StudioError(
        'bad-input',
        `latents have ${request.latents.length} values, [${shape.join(', ')}] needs ${count}`,
      );
    }
    return request.latents;
  }

  async #denoise(model: OpenDiffusion, run: DenoisingRun): Promise<Float32Array> {
    const { request, scheduler, random, range, shape, progress } = run;
    const { prompt, negative, guidance, signal } = request;
    const size = { width: progress.width, height: progress.height };
    const conditions = await encodeConditions(model.config, model, { prompt, negative, ...size });
    let latents: Float32Array = run.latents;
    for (let index = range.from; index < range.to; index++) {
      await nextTurnOfLoop();
      signal?.throwIfAborted();
      const input = scheduler.modelInput(index, latents);
      const timestep = entryAt(scheduler.timesteps, index);
      const prediction = await predict(model.unet, {
        input,
        shape,
        timestep,
        conditions,
        guidance,
      });
      const preview = progress.wantsPreview()
        ? scheduler.predictedOriginal(index, latents, prediction)
        : null;
      const count = latents.length;
      latents = scheduler.step(index, latents, prediction, () => normalNoise(random, count));
      await progress.step(preview && (await this.#preview({ dims: shape, data: preview })));
    }
    return latents;
  }

  /** A small VAE shows its own picture; a large one's latents are averaged down first, which costs little. */
  async #preview(latents: FloatTensor): Promise<FloatTensor> {
    const { height, width } = planeSizes(latents);
    const side = Math.max(height, width);
    const factor = Math.max(1, Math.ceil((side * this.config.scale) / previewSize));
    return decodeLatents(
      this.#vaeDecoder,
      averagePool(latents, factor),
      this.config.vae.scalingFactor,
      { tile: false },
    );
  }

  async #decode(latents: FloatTensor, signal: AbortSignal | undefined): Promise<FloatTensor> {
    const pause = async () => {
      await nextTurnOfLoop();
      signal?.throwIfAborted();
    };
    await pause();
    return decodeLatents(this.#vaeDecoder, latents, this.config.vae.scalingFactor, {
      betweenTiles: pause,
    });
  }

  async release(): Promise<void> {
    const sessions = [...this.#base.own, ...(this.#refiner?.own ?? []), this.#vaeDecoder];
    for (const session of sessions) await session.release();
  }
}

interface DenoisingRun {
  readonly request: DrawRequest;
  readonly scheduler: Scheduler;
  /** Goes on from the noise that the drawing began with. */
  readonly random: RandomNumbers;
  readonly range: StepRange;
  readonly latents: Float32Array;
  readonly shape: readonly number[];
  readonly progress: Progress;
}

async function openDiffusion(
  config: DiffusionConfig,
  placement: Placement,
  onPart: (part: string) => Promise<void>,
  base?: OpenDiffusion,
): Promise<OpenDiffusion> {
  const target = targetFor(placement.provider);
  const own: Session[] = [];
  const open = async (network: Parameters<typeof openNetwork>[0]): Promise<Session> => {
    const session = await openNetwork(network, placement);
    own.push(session);
    return session;
  };
  await onPart('text encoders');
  const first = config.textEncoder;
  const textEncoder =
    first && (await open(clipTextModel(first.config, openCheckpoint(first.folder), target)));
  const second = config.textEncoder2;
  const isShared = base !== undefined && second === base.config.textEncoder2;
  const textEncoder2 = isShared
    ? base.textEncoder2
    : await open(clipTextModel(second.config, openCheckpoint(second.folder), target));
  await onPart(base === undefined ? 'UNet' : 'refiner');
  const weights = openCheckpoint(join(config.folder, 'unet'));
  const unet = await open(unetModel(config.unet, weights, target));
  return { config, textEncoder, textEncoder2, unet, own };
}

/** The network's prediction for latents, guided: both directions in a batch of two. */
async function predict(
  unet: Session,
  step: {
    readonly input: Float32Array;
    readonly shape: readonly number[];
    readonly timestep: number;
    readonly conditions: { readonly wanted: Conditions; readonly unwanted: Conditions };
    readonly guidance: number;
  },
): Promise<Float32Array> {
  const { wanted, unwanted } = step.conditions;
  const sample = { dims: step.shape, data: step.input };
  // At guidance 1 the unconditional half cancels out (diffusers skips it as well).
  const isGuided = step.guidance > 1;
  const both = (pick: (conditions: Conditions) => FloatTensor): FloatTensor =>
    isGuided ? batchOfTwo(pick(unwanted), pick(wanted)) : pick(wanted);
  const feed = ({ dims, data }: FloatTensor) => float32Tensor(data, dims);
  const { noise_pred: prediction } = await runFloats(
    unet,
    {
      sample: feed(isGuided ? batchOfTwo(sample, sample) : sample),
      timestep: float32Tensor(Float32Array.of(step.timestep), [1]),
      encoder_hidden_states: feed(both(({ hiddenStates }) => hiddenStates)),
      text_embeds: feed(both(({ pooled }) => pooled)),
      time_ids: feed(both(({ timeIds }) => timeIds)),
    },
    ['noise_pred'],
  );
  if (!isGuided) return prediction.data;
  const half = prediction.data.length / 2;
  return guide(prediction.data.subarray(0, half), prediction.data.subarray(half), step.guidance);
}

/** Means of squares of `factor` x `factor`; what does not fill a square at the edges is left out. */
function averagePool(tensor: FloatTensor, factor: number): FloatTensor {
  if (factor === 1) return tensor;
  const { channels, height, width } = planeSizes(tensor);
  const [rows, columns] = [Math.floor(height / factor), Math.floor(width / factor)];
  const data = new Float32Array(channels * rows * columns);
  for (let at = 0; at < data.length; at++) {
    const column = at % columns;
    const row = Math.floor(at / columns) % rows;
    const channel = Math.floor(at / (rows * columns));
    let sum = 0;
    for (let y = row * factor; y < (row + 1) * factor; y++) {
      for (let x = column * factor; x < (column + 1) * factor; x++) {
        sum += tensor.data[(channel * height + y) * width + x]!;
      }
    }
    data[at] = sum / factor ** 2;
  }
  return { dims: [1, channels, rows, columns], data };
}

/** Counts steps over base and refiner and tells how far a drawing is. */
class Progress {
  readonly width: number;
  readonly height: number;
  readonly #request: DrawRequest;
  readonly #steps: number;
  readonly #startedAt = performance.now();
  #done = 0;

  constructor(request: DrawRequest, width: number, height: number, steps: number) {
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
