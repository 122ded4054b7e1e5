import { int64Tensor } from '../../runtime/index.ts';
import type { DiffusionConfig, TextEncoderConfig } from './diffusion-config.ts';
import { rowSizes, runFloats, type FloatTensor } from '../network.ts';
import type { NetworkOnDemand } from '../network-on-demand.ts';

/** What a UNet is told besides the noise, for a batch of one. */
export interface Conditions {
  /** [1, tokens, width] */
  readonly hiddenStates: FloatTensor;
  /** [1, width] */
  readonly pooled: FloatTensor;
  /** [1, 5 or 6] */
  readonly timeIds: FloatTensor;
}

/** The text encoders of a pipeline. */
export interface TextEncoders {
  readonly textEncoder: NetworkOnDemand | null;
  readonly textEncoder2: NetworkOnDemand;
}

/** The conditions of a drawing, and of its opposite. */
export interface BothConditions {
  readonly wanted: Conditions;
  readonly unwanted: Conditions;
}

/** SDXL's refiner was trained with these scores for what is wanted and what is not (diffusers' defaults). */
const wantedScore = 6.0;
const unwantedScore = 2.5;

/**
 * The conditions of a prompt, and those of its opposite for classifier-free guidance, as diffusers' SDXL pipelines
 * make them: the penultimate states of both encoders side by side, the second's pooled output, and the sizes.
 */
export async function encodeConditions(
  config: DiffusionConfig,
  encoders: TextEncoders,
  request: {
    readonly prompt: string;
    /** Empty: none. */
    readonly negative: string;
    readonly width: number;
    readonly height: number;
  },
): Promise<BothConditions> {
  const { width, height } = request;
  const wanted = await encodeText(config, encoders, request.prompt);
  const negative = request.negative.trim();
  const unwanted =
    negative === '' && config.zerosForNoNegative
      ? { hiddenStates: zerosLike(wanted.hiddenStates), pooled: zerosLike(wanted.pooled) }
      : await encodeText(config, encoders, negative);
  return {
    wanted: { ...wanted, timeIds: timeIds(config, width, height, wantedScore) },
    unwanted: { ...unwanted, timeIds: timeIds(config, width, height, unwantedScore) },
  };
}

async function encodeText(
  config: DiffusionConfig,
  { textEncoder, textEncoder2 }: TextEncoders,
  text: string,
): Promise<Pick<Conditions, 'hiddenStates' | 'pooled'>> {
  const second = await runEncoder(textEncoder2, config.textEncoder2, text);
  if (textEncoder === null || config.textEncoder === null) return second;
  const first = await runEncoder(textEncoder, config.textEncoder, text);
  return {
    hiddenStates: sideBySide(first.hiddenStates, second.hiddenStates),
    pooled: second.pooled,
  };
}

/** The second encoder's pooled output of a text. */
export async function encodePooled(
  config: DiffusionConfig,
  { textEncoder2 }: TextEncoders,
  text: string,
): Promise<Float32Array> {
  return (await runEncoder(textEncoder2, config.textEncoder2, text)).pooled.data;
}

async function runEncoder(network: NetworkOnDemand, encoder: TextEncoderConfig, text: string) {
  const ids = encoder.tokenizer.encode(text);
  const feeds = { input_ids: int64Tensor(ids, [1, ids.length]) };
  const outputs = await network.use((session) =>
    runFloats(session, feeds, ['hidden_states', 'pooled']),
  );
  return { hiddenStates: outputs.hidden_states, pooled: outputs.pooled };
}

/** [1, tokens, a] and [1, tokens, b] -> [1, tokens, a + b]. */
function sideBySide(left: FloatTensor, right: FloatTensor): FloatTensor {
  const { count: tokens, width: a } = rowSizes(left);
  const { width: b } = rowSizes(right);
  const data = new Float32Array(tokens * (a + b));
  for (let token = 0; token < tokens; token++) {
    data.set(left.data.subarray(token * a, (token + 1) * a), token * (a + b));
    data.set(right.data.subarray(token * b, (token + 1) * b), token * (a + b) + a);
  }
  return { dims: [1, tokens, a + b], data };
}

/** Original size, crop's corner, and target size or score: micro-conditioning (Podell et al. 2023, section 2.2). */
function timeIds(
  config: DiffusionConfig,
  width: number,
  height: number,
  score: number,
): FloatTensor {
  const ids = config.hasAestheticScore
    ? [height, width, 0, 0, score]
    : [height, width, 0, 0, height, width];
  return { dims: [1, ids.length], data: Float32Array.from(ids) };
}

function zerosLike({ dims, data }: FloatTensor): FloatTensor {
  return { dims, data: new Float32Array(data.length) };
}

/** Two tensors of a batch of one as a batch of two. */
export function batchOfTwo(first: FloatTensor, second: FloatTensor): FloatTensor {
  const data = new Float32Array(first.data.length + second.data.length);
  data.set(first.data);
  data.set(second.data, first.data.length);
  return { dims: [2, ...first.dims.slice(1)], data };
}
