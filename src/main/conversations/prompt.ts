import type { PromptPart, PromptTurn } from '../../shared/contracts/worker-protocol.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';

/**
 * The turns as the model is asked with them. A reply that says nothing (it failed, or was stopped at once) is left
 * out, and the person's turns around it become one: an empty answer would teach the model to give another.
 */
export function toPrompt(
  turns: readonly Turn[],
  fileOf: (hash: string) => string,
): readonly PromptTurn[] {
  const prompt: { role: Turn['role']; parts: PromptPart[] }[] = [];
  for (const turn of turns) {
    const said = turn.parts.filter(saysSomething).map((part) => toPromptPart(part, fileOf));
    // What the model wrote stays as it was, so that it is found again in the cache.
    const parts = turn.role === 'user' ? said.map(spaced) : said;
    if (turn.role === 'assistant' && parts.length === 0) continue;
    const last = prompt.at(-1);
    if (last?.role === turn.role) last.parts.push({ kind: 'text', text: '\n' }, ...parts);
    else prompt.push({ role: turn.role, parts });
  }
  return prompt;
}

/**
 * A picture stands in a person's line like a word, one space from the text on either side, as in the data that models
 * are trained with: where the composer breaks the line or leaves no space, the embedded model answered worse.
 */
function spaced(part: PromptPart, index: number, parts: readonly PromptPart[]): PromptPart {
  if (part.kind !== 'text') return part;
  let { text } = part;
  if (parts[index - 1]?.kind === 'picture') text = ` ${text.trimStart()}`;
  if (parts[index + 1]?.kind === 'picture') text = `${text.trimEnd()} `;
  return { kind: 'text', text };
}

function saysSomething(part: MessagePart): boolean {
  if (part.kind === 'text') return part.text !== '';
  return part.kind === 'picture' || part.caption !== '';
}

function toPromptPart(part: MessagePart, fileOf: (hash: string) => string): PromptPart {
  switch (part.kind) {
    case 'text':
      return { kind: 'text', text: part.text };
    case 'undrawn':
      return { kind: 'undrawn', caption: part.caption };
    case 'picture': {
      const { hash, caption } = part.picture;
      return { kind: 'picture', path: fileOf(hash), caption };
    }
  }
}
