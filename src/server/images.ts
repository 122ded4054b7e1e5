import { randomInt } from 'node:crypto';
import { z } from 'zod';
import type { DrawnPicture } from '../shared/contracts/reply-event.ts';
import type { DrawingSettings, DrawingSize } from '../shared/domain/settings.ts';
import { ApiError } from './api-error.ts';
import { checkBody } from './body.ts';
import { drawingFieldsSchema, seedOf, withoutUndefined } from './chat-request.ts';
import type { ServedModel } from './engine.ts';
import { base64, pictureHash, pictureUrl } from './pictures.ts';
import { clientOf, findModel, sendJson, type Desk, type Exchange } from './route.ts';

const imagesRequestSchema = z.object({
  prompt: z.string().trim().min(1).max(2000),
  model: z.string().max(500).nullish(),
  n: z.number().int().min(1).max(10).nullish(),
  size: z
    .string()
    .regex(/^(auto|\d{1,4}x\d{1,4})$/, { error: 'expected "auto" or for instance "1024x1024"' })
    .nullish(),
  response_format: z.enum(['b64_json', 'url']).nullish(),
  output_format: z.literal('png', { error: 'pictures are PNG' }).nullish(),
  background: z.enum(['auto', 'opaque'], { error: 'pictures are opaque' }).nullish(),
  stream: z.literal(false, { error: 'pictures come whole' }).nullish(),
  seed: z.number().int().nullish(),
  user: z.string().max(500).nullish(),
  textbind: drawingFieldsSchema.optional(),
});
type ImagesRequest = z.infer<typeof imagesRequestSchema>;

/** `POST /v1/images/generations`: pictures of one prompt, each a turn in the line. */
export async function imagesGenerations(desk: Desk, exchange: Exchange): Promise<void> {
  const request = checkBody(exchange.body, imagesRequestSchema);
  const { signal, response, log } = exchange;
  const model = await findModel(desk, request.model, signal);
  const size = sizeOf(request.size ?? 'auto', model);
  const client = clientOf(request.user, exchange.request);
  const first = seedOf(request.seed) ?? randomInt(2 ** 32);
  const data: object[] = [];
  for (let index = 0; index < (request.n ?? 1); index += 1) {
    const drawing = {
      ...desk.engine.defaults().drawing,
      ...withoutUndefined(request.textbind ?? {}),
      seed: (first + index) % 2 ** 32,
      enabled: true,
    };
    const done = await desk.queue.enter(client, signal);
    try {
      data.push(imageOf(await draw(desk, request, drawing, size, signal), request));
    } finally {
      done();
    }
  }
  log.info('pictures served', { pictures: data.length });
  sendJson(response, 200, { created: Math.floor(Date.now() / 1000), output_format: 'png', data });
}

/** Draws; a drawing whose engine was wanted back is begun anew, and is the same: its seed is. */
async function draw(
  { engine, remembered }: Desk,
  { prompt }: ImagesRequest,
  drawing: DrawingSettings,
  size: DrawingSize,
  signal: AbortSignal,
): Promise<DrawnPicture> {
  for (;;) {
    const loan = await engine.borrow(signal);
    try {
      const drawn = await loan.request(
        'draw',
        { caption: prompt, drawing, size },
        { signal: AbortSignal.any([signal, loan.recalled]), onEvent: () => undefined },
      );
      remembered.add(pictureHash(drawn.png), drawn.png);
      return drawn;
    } catch (error) {
      if (signal.aborted || !loan.recalled.aborted) throw error;
    } finally {
      loan.giveBack();
    }
  }
}

function imageOf({ png, recipe, width, height }: DrawnPicture, { response_format }: ImagesRequest) {
  const picture = response_format === 'url' ? { url: pictureUrl(png) } : { b64_json: base64(png) };
  return { ...picture, textbind: { recipe, width, height } };
}

function sizeOf(size: string, { drawing, id }: ServedModel): DrawingSize {
  const fault = (message: string, param?: string): ApiError =>
    new ApiError(400, message, { code: 'unsupported', param });
  if (drawing === null) throw fault(`The model "${id}" does not draw.`, 'model');
  const { side, step } = drawing;
  if (size === 'auto') return { width: side, height: side };
  const [width = 0, height = 0] = size.split('x').map(Number);
  const fits = [width, height].every((pixels) => pixels >= step && pixels % step === 0);
  if (fits && Math.max(width, height) <= 4096) return { width, height };
  throw fault(
    `${size} cannot be drawn: sides are multiples of ${step} up to 4096; ${side}x${side} is its own.`,
    'size',
  );
}
