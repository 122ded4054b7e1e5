import type { MessagePart } from '../../shared/domain/turn.ts';

const longest = 60;

/** A conversation's title from the first words of its first turn; pictures alone are named as such. */
export function titleOf(parts: readonly MessagePart[]): string {
  const words = parts
    .map((part) => (part.kind === 'text' ? part.text : ' '))
    .join('')
    .replaceAll(/\s+/g, ' ')
    .trim();
  if (words !== '') return shorten(words);
  const pictures = parts.filter((part) => part.kind === 'picture').length;
  return pictures > 1 ? `${pictures} pictures` : 'A picture';
}

function shorten(text: string): string {
  const characters = [...text];
  if (characters.length <= longest) return text;
  const start = characters.slice(0, longest).join('');
  const lastSpace = start.lastIndexOf(' ');
  return `${lastSpace > longest / 2 ? start.slice(0, lastSpace) : start}…`;
}
