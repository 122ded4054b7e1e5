/** The model that is open in the app as who writes: a guest of its engine, which leaves when the person comes. */
import { drawingSchema, samplingSchema } from '../../shared/domain/settings.ts';
import { isStudioError, StudioError, toWireError } from '../../shared/errors.ts';
import type { EngineLoan } from '../processes/shared-engine.ts';
import { WriterFault, type Writer, type WritingRequest, type WrittenAnswer } from './writer.ts';

export interface EngineRoad {
  lend(signal: AbortSignal): Promise<EngineLoan>;
  /** Tokens that the open model reads and writes in all; null where none is open. */
  contextLength(): number | null;
}

/** Words need room beside what is read. */
const replyShare = 0.4;

export function createEngineWriter(road: EngineRoad): Writer {
  return {
    async write(request, signal) {
      for (;;) {
        const loan = await borrow(road, signal);
        try {
          return await ask(road, loan, request, signal);
        } catch (error) {
          // The person wanted it: what was written is thrown away, and asked for again.
          if (signal.aborted || !loan.recalled.aborted) throw faultOf(error, signal);
        } finally {
          loan.giveBack();
        }
      }
    },
  };
}

async function borrow(road: EngineRoad, signal: AbortSignal): Promise<EngineLoan> {
  try {
    return await road.lend(signal);
  } catch (error) {
    throw faultOf(error, signal);
  }
}

/** With examples, and where those are too long for the model, without. */
async function ask(
  road: EngineRoad,
  loan: EngineLoan,
  request: WritingRequest,
  signal: AbortSignal,
): Promise<WrittenAnswer> {
  try {
    return await reply(road, loan, request, request.system, signal);
  } catch (error) {
    if (!isStudioError(error, 'too-long')) throw error;
    return reply(road, loan, request, request.brief, signal);
  }
}

async function reply(
  road: EngineRoad,
  loan: EngineLoan,
  request: WritingRequest,
  system: string,
  signal: AbortSignal,
): Promise<WrittenAnswer> {
  const { user, temperature, seed, maxTokens } = request;
  const room = Math.floor((road.contextLength() ?? maxTokens / replyShare) * replyShare);
  const maxNewTokens = Math.max(1, Math.min(maxTokens, room, 4096));
  let text = '';
  const { finish, usage } = await loan.request(
    'chat.reply',
    {
      turns: [{ role: 'user', parts: [{ kind: 'text', text: user }] }],
      system,
      wish: 'words',
      sampling: samplingSchema.parse({ temperature, topP: 0.95, seed, maxNewTokens }),
      drawing: drawingSchema.parse({ enabled: false }),
    },
    {
      signal: AbortSignal.any([signal, loan.recalled]),
      onEvent: (event) => (text += event.kind === 'text' ? event.text : ''),
    },
  );
  if (finish === 'cancelled') throw new StudioError('cancelled', 'It was stopped.');
  const { promptTokens, replyTokens } = usage;
  return { text, promptTokens, replyTokens, isCut: finish === 'length' };
}

function faultOf(error: unknown, signal: AbortSignal): unknown {
  if (signal.aborted) return signal.reason;
  const { message } = toWireError(error);
  if (isStudioError(error, 'too-long')) {
    const remedy = 'Open a model with a longer context, shorten the prompts, or use a server.';
    return new WriterFault('stop', message, remedy, { cause: error });
  }
  return new WriterFault('passing', message, 'See the model in the chat, then go on.', {
    cause: error,
  });
}
