import type { PromptPart } from './worker-protocol.ts';

/**
 * A picture stands in a person's line like a word, one space from the text on either side, as in the data that models
 * are trained with: where the composer breaks the line or leaves no space, the embedded model answered worse.
 */
export function spaced(part: PromptPart, index: number, parts: readonly PromptPart[]): PromptPart {
  if (part.kind !== 'text') return part;
  let { text } = part;
  if (parts[index - 1]?.kind === 'picture') text = ` ${text.trimStart()}`;
  if (parts[index + 1]?.kind === 'picture') text = `${text.trimEnd()} `;
  return { kind: 'text', text };
}
