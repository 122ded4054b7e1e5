import type { Picture } from '../../shared/domain/picture.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { pictureExtensions } from '../pictures/names.ts';

export { fileNameOf } from '../pictures/names.ts';

/** Name that a picture's copy has: by its bytes, so that one that occurs twice is one file. */
export function pictureFileName(picture: Picture): string {
  return `${picture.hash.slice(0, 16)}.${pictureExtensions[picture.mediaType]}`;
}

/** What is exported: the current path, of every turn and drawing the version that is shown. */
export interface Exported {
  readonly title: string;
  readonly turns: readonly Turn[];
}

/** The conversation as Markdown; pictures are links into `pictureFolder`, relative to the document. */
export function toMarkdown(conversation: Exported, pictureFolder: string): string {
  const turns = conversation.turns.map((turn) => {
    const body = turn.parts.map((part) => partToMarkdown(part, pictureFolder)).join('\n\n');
    const note = statusNote(turn.status);
    const noted = note === '' ? '' : `*${note}*`;
    const blocks = [`## ${turn.role === 'user' ? 'You' : (turn.model ?? 'Model')}`, body, noted];
    return blocks.filter((block) => block.trim() !== '').join('\n\n');
  });
  return `${[`# ${escapeMarkdown(conversation.title)}`, ...turns].join('\n\n')}\n`;
}

const statusNotes: Readonly<Record<Turn['status'], string>> = {
  complete: '',
  streaming: 'still being written',
  cut: 'cut at the length limit',
  stopped: 'stopped',
  interrupted: 'interrupted',
  failed: 'failed',
};

/** How a turn ended that did not come to its own end; empty for one that did. */
export function statusNote(status: Turn['status']): string {
  return statusNotes[status] === '' ? '' : `(${statusNotes[status]})`;
}

function partToMarkdown(part: MessagePart, pictureFolder: string): string {
  switch (part.kind) {
    case 'text':
      return part.text.trim();
    case 'undrawn':
      return `*(not drawn: ${escapeMarkdown(part.caption)})*`;
    case 'picture': {
      const { picture } = part;
      const link = `${encodeURIComponent(pictureFolder)}/${pictureFileName(picture)}`;
      return `![${escapeMarkdown(picture.caption ?? 'Picture')}](${link})`;
    }
  }
}

function escapeMarkdown(text: string): string {
  return text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/[\\`*_[\]<>#|~]/g, (character) => `\\${character}`);
}
