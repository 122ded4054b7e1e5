import type { PromptPart } from '../../shared/contracts/worker-protocol.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import type { EffectiveSettings } from '../../shared/domain/conversation-settings.ts';
import type { ChatDependencies } from './live-task.ts';
import { told, toPrompt } from './prompt.ts';

/**
 * A person's turn with fewer words, so that the model can read it: the engine cuts them in the middle.
 * @throws StudioError `too-long` where its pictures alone are too many, `cancelled` where no engine comes
 */
export async function shortenMessage(
  deps: ChatDependencies,
  turn: Turn,
  { system, sampling }: EffectiveSettings,
): Promise<MessagePart[]> {
  const { engine, pictures, clock } = deps;
  const [message] = toPrompt([turn], (hash) => pictures.fileOf(hash));
  const abort = new AbortController();
  const timer = clock.after(longestWaitMs, () => abort.abort());
  try {
    await engine.whenReady(abort.signal);
    const request = {
      parts: [...(message?.parts ?? [])],
      maxNewTokens: sampling.maxNewTokens,
      ...told(system),
    };
    const { parts } = await engine.request('prompt.shorten', request, { signal: abort.signal });
    return withPictures(parts, turn.parts);
  } finally {
    timer.cancel();
  }
}

/** An engine that is not there by then should be said, not waited for. */
const longestWaitMs = 30_000;

/** The pictures come back in their order; what they are is known here. */
function withPictures(
  shortened: readonly PromptPart[],
  original: readonly MessagePart[],
): MessagePart[] {
  const pictures = original.filter((part) => part.kind === 'picture').values();
  return shortened.flatMap((part): MessagePart[] => {
    if (part.kind === 'text') return [{ kind: 'text', text: part.text }];
    const picture = pictures.next().value;
    return picture === undefined ? [] : [picture];
  });
}
