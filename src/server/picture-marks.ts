/**
 * Where a drawing stands in the words of a reply: `![caption](textbind-picture:<hash>)`. A person reads the caption, a
 * client that sends it back gives the model its picture again, in its place.
 */

export type MarkedPiece =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'picture'; readonly caption: string; readonly hash: string };

export function pictureMark(caption: string, hash: string): string {
  const escaped = caption.replaceAll(/[[\]\\]/g, (sign) => `\\${sign}`).replaceAll(/\s+/g, ' ');
  return `![${escaped}](textbind-picture:${hash})`;
}

// Neither part can begin where the other goes on, so that no text makes it slow.
const mark = /!\[((?:[^\]\\]|\\.){0,2000})\]\(textbind-picture:([0-9a-f]{64})\)/g;

/** The words and the pictures of a reply in order. */
export function readMarks(content: string): MarkedPiece[] {
  const pieces: MarkedPiece[] = [];
  let from = 0;
  for (const match of content.matchAll(mark)) {
    const [whole, caption = '', hash = ''] = match;
    pieces.push({ kind: 'text', text: content.slice(from, match.index) });
    pieces.push({ kind: 'picture', caption: caption.replaceAll(/\\(.)/g, '$1'), hash });
    from = match.index + whole.length;
  }
  pieces.push({ kind: 'text', text: content.slice(from) });
  return pieces.filter((piece) => piece.kind === 'picture' || piece.text !== '');
}
