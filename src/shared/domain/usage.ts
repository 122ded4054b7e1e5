import type { Usage } from './turn.ts';

/** The figures of a reply that was written in two goes: the prompt is the later one, the rest is summed. */
export function addUsage(before: Usage | null, now: Usage): Usage {
  if (before === null) return now;
  return {
    promptTokens: now.promptTokens,
    replyTokens: before.replyTokens + now.replyTokens,
    prefillSeconds: before.prefillSeconds + now.prefillSeconds,
    decodeSeconds: before.decodeSeconds + now.decodeSeconds,
    firstTokenSeconds: before.firstTokenSeconds ?? now.firstTokenSeconds,
    pictures: before.pictures + now.pictures,
    drawSeconds: before.drawSeconds + now.drawSeconds,
  };
}
