import { leaveOutPictures, unreadableNotice } from '../../shared/contracts/unreadable-pictures.ts';
import type {
  PromptTurn,
  WorkerReplyBody,
  WorkerRequestBody,
} from '../../shared/contracts/worker-protocol.ts';
import { isStudioError } from '../../shared/errors.ts';
import { withDetours, type EngineClient, type RequestOptions } from './engine-client.ts';
import type { PictureDecoder } from './picture-decoder.ts';

/**
 * The engine, which is given only pictures that decode: those of a conversation are looked at once in a run of the
 * app. One that does not is left out of the prompt, and the reply gets a notice.
 */
export function guardEngine(
  engine: EngineClient,
  decoder: Pick<PictureDecoder, 'check'>,
): EngineClient {
  /** By path, which names the content. */
  const known = new Map<string, 'readable' | 'unreadable'>();
  const look = async (path: string, signal: AbortSignal | undefined): Promise<void> => {
    try {
      await decoder.check(path, 'The picture', signal);
      known.set(path, 'readable');
    } catch (error) {
      if (!isStudioError(error, 'bad-input')) throw error;
      known.set(path, 'unreadable');
    }
  };
  const guard = async (
    body: WorkerRequestBody<'chat.reply'>,
    options: RequestOptions<'chat.reply'>,
  ): Promise<WorkerReplyBody<'chat.reply'>> => {
    const paths = picturesOf(body.turns);
    for (const path of paths) if (!known.has(path)) await look(path, options.signal);
    const unreadable = new Set([...paths].filter((path) => known.get(path) === 'unreadable'));
    // A file that was missing may be back.
    for (const path of unreadable) known.delete(path);
    if (unreadable.size === 0) return engine.request('chat.reply', body, options);
    options.onEvent?.({ kind: 'notice', notice: unreadableNotice(unreadable.size) });
    const turns = leaveOutPictures(body.turns, unreadable);
    return engine.request('chat.reply', { ...body, turns }, options);
  };
  return withDetours(engine, { 'chat.reply': guard });
}

function picturesOf(turns: readonly PromptTurn[]): Set<string> {
  const parts = turns.flatMap((turn) => turn.parts);
  return new Set(parts.flatMap((part) => (part.kind === 'picture' ? [part.path] : [])));
}
