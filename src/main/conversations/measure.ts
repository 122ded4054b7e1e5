import type { AppReplyBody } from '../../shared/contracts/app-ipc.ts';
import type { EffectiveSettings } from '../../shared/domain/conversation-settings.ts';
import { emptyTurn, type MessagePart, type Turn } from '../../shared/domain/turn.ts';
import type { ChatDependencies } from './live-task.ts';
import { readTurns, told } from './prompt.ts';

export interface MeasureRequest {
  /** What stands before the message. */
  readonly turns: readonly Turn[];
  /** May be empty still. */
  readonly parts: MessagePart[];
  readonly settings: EffectiveSettings;
}

/** How much of the model's context a message would take, and where it begins; null while no model is open. */
export async function measureMessage(
  { engine, pictures }: ChatDependencies,
  { turns, parts, settings }: MeasureRequest,
): Promise<AppReplyBody<'chat.measure'>> {
  if (engine.modelName() === null) return null;
  const fileOf = (hash: string): string => pictures.fileOf(hash);
  const before = readTurns(turns, fileOf);
  const [message] = readTurns([messageOf(parts)], fileOf);
  const measured = await engine.request('prompt.measure', {
    turns: before.map(({ turn }) => turn),
    message: message?.turn.parts ?? [],
    maxNewTokens: settings.sampling.maxNewTokens,
    ...told(settings.system),
  });
  const { tokens, messageTokens, room, firstTurn } = measured;
  // Where all is read there is nothing to mark.
  const readsFrom = firstTurn === 0 ? null : (before[firstTurn]?.id ?? 'message');
  return { tokens, messageTokens, room, readsFrom };
}

function messageOf(parts: MessagePart[]): Turn {
  const turn = emptyTurn({ id: 'message', role: 'user', createdAt: 0 });
  return { ...turn, parts, status: 'complete' };
}
