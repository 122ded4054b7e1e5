import type { DrawingProgress } from '../../../shared/contracts/reply-event.ts';
import { StudioError } from '../../../shared/errors.ts';
import { encodePng } from '../../inputs/image.ts';
import type { BuildTarget } from '../../networks/index.ts';
import type { NetworkModel } from '../../networks/models.ts';
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
import {
  batchOfTwo,
  encodeConditions,
  encodePooled,
  type BothConditions,
  type Conditions,
  type TextEncoders,
} from './conditions.ts';
import { decodeLatents } from './decode-latents.ts';
import {
  textEncoderNetwork,
  unetNetwork,
  vaeDecoderNetwork,
  vaeEncoderNetwork,
} from './drawing-networks.ts';
import { encodeStart, firstStep, type StartPicture } from './start-picture.ts';
import { readDiffusion, type DiffusionConfig } from './diffusion-config.ts';
import type { ModelFolder } from '../../../library/model-folder.ts';
import { planeSizes, runFloats, type FloatTensor, type Placement } from '../network.ts';
import { NetworkOnDemand } from '../network-on-demand.ts';
import { targetOn } from '../target.ts';
import { nextTurnOfLoop } from '../language/sequence.ts';
import { previewSize, Progress } from './progress.ts';

/** `textbind.md` section 4: the refiner takes over where a fifth of the noise is left. */
const refinerShare = 0.8;

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
  /** What the drawing starts from, in place of noise alone. */
  readonly start?: StartPicture;
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

/** One diffusers pipeline. */
interface Diffusion extends TextEncoders {
  readonly config: DiffusionConfig;
  readonly unet: NetworkOnDemand;
  /** The networks that are this pipeline's alone. */
  readonly own: readonly NetworkOnDemand[];
}

export interface PainterOptions {
  /** Each network is open only while it is used: less memory, more time for each picture. */
  readonly sparing?: boolean;
  readonly onPart?: (part: string) => Promise<void>;
}

/** The model's hand: SDXL's base, and its refiner where the model has one. */
export class Painter {
  /** What its networks are built for. */
  readonly target: BuildTarget;
  readonly #base: Diffusion;
  readonly #refiner: Diffusion | null;
  readonly #vaeDecoder: NetworkOnDemand;
  /** Open only while a picture is read that a drawing starts from. */
  readonly #vaeEncoder: NetworkOnDemand;

  private constructor(
    base: Diffusion,
    refiner: Diffusion | null,
    vaeDecoder: NetworkOnDemand,
    vaeEncoder: NetworkOnDemand,
    target: BuildTarget,
  ) {
    this.target = target;
    this.#base = base;
    this.#refiner = refiner;
    this.#vaeDecoder = vaeDecoder;
    this.#vaeEncoder = vaeEncoder;
  }

  /** @throws StudioError or errors of graphs and weights that name what does not fit */
  static async open(
    folders: Pick<NonNullable<ModelFolder['imageDecoder']>, 'base' | 'refiner'>,
    placement: Placement,
    options: PainterOptions = {},
  ): Promise<Painter> {
    const { sparing = false, onPart = async () => {} } = options;
    const baseConfig = await readDiffusion(folders.base);
    const lend = (network: () => NetworkModel) => new NetworkOnDemand(network, placement, !sparing);
    const target = await targetOn(placement.provider);
    const base = diffusionOf(baseConfig, target, lend);
    const vaeDecoder = lend(() => vaeDecoderNetwork(baseConfig, target));
    const refinerConfig =
      folders.refiner === null ? null : await readDiffusion(folders.refiner, baseConfig);
    const refiner = refinerConfig && diffusionOf(refinerConfig, target, lend, base);
    const encoder = new NetworkOnDemand(
      () => vaeEncoderNetwork(baseConfig, target),
      placement,
      false,
    );
    const painter = new Painter(base, refiner, vaeDecoder, encoder, target);
    try {
      await painter.#prepare(onPart);
    } catch (error) {
      await painter.release();
      throw error;
    }
    return painter;
  }

  /** Opens what is kept, and tells what. */
  async #prepare(onPart: (part: string) => Promise<void>): Promise<void> {
    const prepare = async (part: string, networks: readonly (NetworkOnDemand | null)[]) => {
      await onPart(part);
      for (const network of networks) await network?.prepare();
    };
    const [base, refiner] = [this.#base, this.#refiner];
    await prepare('text encoders', [base.textEncoder, base.textEncoder2]);
    await prepare('UNet', [base.unet]);
    await prepare('VAE', [this.#vaeDecoder]);
    if (refiner === null) return;
    await prepare('text encoders', [refiner.textEncoder, refiner.textEncoder2]);
    await prepare('refiner', [refiner.unet]);
  }

  get config(): DiffusionConfig {
    return this.#base.config;
  }

  get refinerConfig(): DiffusionConfig | null {
    return this.#refiner?.config ?? null;
  }

  /** Sessions that are open now. */
  get sessionCount(): number {
    return this.#networks().filter(({ isOpen }) => isOpen).length;
  }

  /** The second text encoder's pooled output [width]: the side of a CLIP pair that pictures are compared with. */
  async pooledText(text: string): Promise<Float32Array> {
    return encodePooled(this.#base.config, this.#base, text);
  }

  /** Draws. Cancelled between steps. */
  async draw(request: DrawRequest): Promise<PaintedPicture> {
    // It is small, and every preview needs it.
    return this.#vaeDecoder.use(() => this.#draw(request));
  }

  async #draw(request: DrawRequest): Promise<PaintedPicture> {
    const { width, height, shape } = this.#sizes(request);
    const scheduler = this.config.makeScheduler(request.steps);
    const random = new RandomNumbers(request.seed);
    const count = scheduler.timesteps.length;
    const from = request.start === undefined ? 0 : firstStep(count, request.start.strength);
    const end = this.#refiner === null ? count : baseSteps(scheduler, refinerShare).to;
    const range = { from, to: Math.max(from, end) };
    const progress = new Progress(request, width, height, count - from);
    // All text before all drawing: encoders that are not kept come and go once.
    const conditions = await this.#conditions(this.#base, request, progress);
    const late = this.#refiner && (await this.#conditions(this.#refiner, request, progress));
    let latents = await this.#startOf(
      request,
      scheduler,
      from,
      this.#noise(request, shape, random),
    );
    latents = await this.#denoise(this.#base, {
      request,
      scheduler,
      random,
      range,
      latents,
      shape,
      progress,
      conditions,
    });
    if (this.#refiner !== null && late !== null) {
      const lateScheduler = this.#refiner.config.makeScheduler(request.steps);
      const share = refinerSteps(lateScheduler, refinerShare);
      const rest = { from: Math.max(share.from, from), to: share.to };
      latents = await this.#denoise(this.#refiner, {
        request,
        scheduler: lateScheduler,
        random,
        range: rest,
        latents,
        shape,
        progress,
        conditions: late,
      });
    }
    const image = await this.#decode({ dims: shape, data: latents }, request.signal);
    const png = await encodePng(image.data, width, height);
    return { image, latents: { dims: shape, data: latents }, png, width, height };
  }

  /** What the step `from` begins with: noise, or the picture to start from with so much noise on it. */
  async #startOf(
    { start }: DrawRequest,
    scheduler: Scheduler,
    from: number,
    noise: Float32Array,
  ): Promise<Float32Array> {
    if (start === undefined) return noise.map((value) => value * scheduler.initNoiseSigma);
    const { data } = await this.#vaeEncoder.use((encoder) =>
      encodeStart(encoder, start.image, this.config.vae.scalingFactor),
    );
    if (data.length !== noise.length) {
      throw new StudioError(
        'bad-input',
        `the picture to start from gives ${data.length} latents, the drawing has ${noise.length}`,
      );
    }
    return scheduler.noised(from, data, noise);
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

  #conditions(
    model: Diffusion,
    { prompt, negative }: DrawRequest,
    { width, height }: Progress,
  ): Promise<BothConditions> {
    return encodeConditions(model.config, model, { prompt, negative, width, height });
  }

  #denoise(model: Diffusion, run: DenoisingRun): Promise<Float32Array> {
    return model.unet.use((unet) => this.#denoiseWith(unet, run));
  }

  async #denoiseWith(unet: Session, run: DenoisingRun): Promise<Float32Array> {
    const { request, scheduler, random, range, shape, progress, conditions } = run;
    const { guidance, signal } = request;
    let latents: Float32Array = run.latents;
    for (let index = range.from; index < range.to; index++) {
      await nextTurnOfLoop();
      signal?.throwIfAborted();
      const input = scheduler.modelInput(index, latents);
      const timestep = entryAt(scheduler.timesteps, index);
      const prediction = await predict(unet, {
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
    return this.#vaeDecoder.use((decoder) =>
      decodeLatents(decoder, averagePool(latents, factor), this.config.vae.scalingFactor, {
        tile: false,
      }),
    );
  }

  async #decode(latents: FloatTensor, signal: AbortSignal | undefined): Promise<FloatTensor> {
    const pause = async () => {
      await nextTurnOfLoop();
      signal?.throwIfAborted();
    };
    await pause();
    return this.#vaeDecoder.use((decoder) =>
      decodeLatents(decoder, latents, this.config.vae.scalingFactor, { betweenTiles: pause }),
    );
  }

  async release(): Promise<void> {
    for (const network of this.#networks()) await network.release();
  }

  #networks(): readonly NetworkOnDemand[] {
    const own = [...this.#base.own, ...(this.#refiner?.own ?? [])];
    return [...own, this.#vaeDecoder, this.#vaeEncoder];
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
  readonly conditions: BothConditions;
}

function diffusionOf(
  config: DiffusionConfig,
  target: BuildTarget,
  lend: (network: () => NetworkModel) => NetworkOnDemand,
  base?: Diffusion,
): Diffusion {
  const { textEncoder: first, textEncoder2: second } = config;
  const textEncoder = first && lend(() => textEncoderNetwork(first, target));
  const isShared = base !== undefined && second === base.config.textEncoder2;
  const textEncoder2 = isShared
    ? base.textEncoder2
    : lend(() => textEncoderNetwork(second, target));
  const unet = lend(() => unetNetwork(config, target));
  const own = [textEncoder, isShared ? null : textEncoder2, unet].filter((each) => each !== null);
  return { config, textEncoder, textEncoder2, unet, own };
}

/** The network's prediction for latents, guided: both directions in a batch of two. */
async function predict(
  unet: Session,
  step: {
    readonly input: Float32Array;
    readonly shape: readonly number[];
    readonly timestep: number;
    readonly conditions: BothConditions;
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
