import { z } from 'zod';
import { drawingSchema, type DrawingSettings, type Sampling } from '../shared/domain/settings.ts';
import type { PictureWish } from '../shared/domain/turn.ts';
import { ApiError } from './api-error.ts';
import type { ServedEngine } from './engine.ts';

const text = z.string().max(400_000);
const imageUrl = z.object({ url: z.string() });

const contentPartSchema = z.discriminatedUnion('type', [
  z.object({ type: z.literal('text'), text }),
  z.object({ type: z.literal('refusal'), refusal: text }),
  z.object({ type: z.literal('image_url'), image_url: imageUrl }),
]);
export type ContentPart = z.infer<typeof contentPartSchema>;

const contentSchema = z.union([text, z.array(contentPartSchema).max(1000)], {
  error: 'expected words, or a list of parts of type "text" and "image_url"',
});

const messageSchema = z.discriminatedUnion('role', [
  z.object({ role: z.enum(['system', 'developer']), content: contentSchema }),
  z.object({ role: z.literal('user'), content: contentSchema }),
  z.object({
    role: z.literal('assistant'),
    content: contentSchema.nullish(),
    /** As an answer of this server has them. */
    images: z
      .array(z.object({ image_url: imageUrl }))
      .max(64)
      .optional(),
  }),
]);
export type ChatMessage = z.infer<typeof messageSchema>;

const seedSchema = z.number().int().nullish();

/** How pictures are drawn: a field of ours, `textbind`, beside those of the API. */
export const drawingFieldsSchema = z
  .object({
    steps: drawingSchema.shape.steps.removeDefault(),
    guidance: drawingSchema.shape.guidance.removeDefault(),
    negative: drawingSchema.shape.negative.removeDefault(),
  })
  .partial()
  .strict();

export const chatRequestSchema = z.object({
  model: z.string().max(500),
  messages: z.array(messageSchema).min(1).max(2000),
  stream: z.boolean().nullish(),
  stream_options: z.object({ include_usage: z.boolean().optional() }).nullish(),
  max_tokens: z.number().int().min(1).nullish(),
  max_completion_tokens: z.number().int().min(1).nullish(),
  temperature: z.number().min(0).max(2).nullish(),
  top_p: z.number().min(0).max(1).nullish(),
  top_k: z.number().int().min(0).nullish(),
  seed: seedSchema,
  stop: z.union([z.string().max(200), z.array(z.string().max(200)).max(4)]).nullish(),
  modalities: z.array(z.string()).nullish(),
  user: z.string().max(500).nullish(),
  safety_identifier: z.string().max(500).nullish(),
  textbind: drawingFieldsSchema.optional(),
  ...unsupportedFields({
    n: [z.literal(1), 'one answer is written at a time'],
    tools: [z.array(z.unknown()).max(0), 'these models call no tools'],
    functions: [z.array(z.unknown()).max(0), 'these models call no functions'],
    tool_choice: [z.enum(['none', 'auto']), 'these models call no tools'],
    response_format: [
      z.looseObject({ type: z.literal('text') }),
      'these models are not held to a format',
    ],
    logprobs: [z.literal(false), 'probabilities are not given'],
    top_logprobs: [z.literal(0), 'probabilities are not given'],
    logit_bias: [z.record(z.string(), z.never()), 'tokens cannot be weighed'],
    frequency_penalty: [z.literal(0), 'repetition cannot be weighed'],
    presence_penalty: [z.literal(0), 'repetition cannot be weighed'],
    audio: [z.never(), 'these models do not speak'],
  }),
});
export type ChatRequest = z.infer<typeof chatRequestSchema>;

/** Fields that would change the answer and are not followed: only what means nothing is taken. */
function unsupportedFields<Name extends string>(
  fields: Readonly<Record<Name, readonly [z.ZodType, string]>>,
): Record<Name, z.ZodOptional<z.ZodNullable<z.ZodUnknown>>> {
  const entries = Object.entries<readonly [z.ZodType, string]>(fields).map(
    ([name, [harmless, why]]) => [
      name,
      z
        .unknown()
        .refine((value) => value === null || harmless.safeParse(value).success, { error: why })
        .nullable()
        .optional(),
    ],
  );
  return Object.fromEntries(entries) as Record<Name, z.ZodOptional<z.ZodNullable<z.ZodUnknown>>>;
}

/** How a request is answered. */
export interface ReplyPlan {
  readonly sampling: Sampling;
  readonly drawing: DrawingSettings;
  readonly wish: PictureWish | undefined;
  readonly stop: readonly string[];
}

const mostTokens = 4096;

/** What a request says over what is usual here. */
export function planReply(
  request: ChatRequest,
  defaults: ReturnType<ServedEngine['defaults']>,
): ReplyPlan {
  const { sampling, drawing } = defaults;
  const asked = request.max_completion_tokens ?? request.max_tokens ?? sampling.maxNewTokens;
  const topP = request.top_p ?? sampling.topP;
  const seed = seedOf(request.seed) ?? sampling.seed;
  return {
    sampling: {
      temperature: request.temperature ?? sampling.temperature,
      topK: Math.min(request.top_k ?? sampling.topK, 1000),
      // A nucleus of nothing is the likeliest token alone.
      topP: Math.max(topP, 1e-6),
      maxNewTokens: Math.min(asked, mostTokens),
      seed,
    },
    drawing: { ...drawing, ...withoutUndefined(request.textbind ?? {}), seed, enabled: true },
    wish: wishOf(request.modalities ?? null),
    stop: [request.stop ?? []].flat().filter((words) => words !== ''),
  };
}

/** Seeds here have 32 bits. */
export function seedOf(seed: number | null | undefined): number | null {
  return seed === null || seed === undefined ? null : Number(BigInt.asUintN(32, BigInt(seed)));
}

/** Drawing fields that were given. */
export function withoutUndefined(
  fields: z.infer<typeof drawingFieldsSchema>,
): Partial<DrawingSettings> {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

/** Words alone where only they are asked for, a picture first where only it is; else the model decides. */
function wishOf(modalities: readonly string[] | null): PictureWish | undefined {
  if (modalities === null) return undefined;
  const other = modalities.find((name) => name !== 'text' && name !== 'image');
  if (other !== undefined) {
    throw new ApiError(400, `Answers are text and image, not ${other.slice(0, 50)}.`, {
      code: 'unsupported',
      param: 'modalities',
    });
  }
  if (!modalities.includes('image')) return 'words';
  return modalities.includes('text') ? undefined : 'draw';
}
