import { readFile } from 'node:fs/promises';
import type { Picture } from '../../shared/domain/picture.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { statusNote } from '../conversations/export.ts';
import { escapeHtml, markdownToHtml } from './html-markdown.ts';
import { htmlStyle } from './html-style.ts';
import type { ShownConversation, ShownTurn } from './shown.ts';

/** Gives a picture's address in the document; null where its file cannot be read. */
export type PictureAddress = (picture: Picture) => Promise<string | null>;

/** Pictures as part of the document. */
export function inlinePictures(fileOf: (hash: string) => string): PictureAddress {
  return async ({ hash, mediaType }) => {
    try {
      return `data:${mediaType};base64,${(await readFile(fileOf(hash))).toString('base64')}`;
    } catch {
      return null;
    }
  };
}

/**
 * A conversation as one HTML document that needs nothing beside it, piece by piece: without scripts, and with a policy
 * by which the browser would run and fetch nothing even if one stood there.
 */
export async function* toHtml(
  conversation: ShownConversation,
  address: PictureAddress,
): AsyncGenerator<string> {
  const { title, createdAt, turns } = conversation;
  yield `<!doctype html>
<html lang="und">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<meta name="generator" content="TextBind Studio">
<title>${escapeHtml(title)}</title>
<style>${htmlStyle}</style>
</head>
<body>
<main>
<header><h1 dir="auto">${escapeHtml(title)}</h1><p><time datetime="${new Date(createdAt).toISOString()}">${dayOf(createdAt)}</time></p></header>
`;
  for (const shown of turns) yield* turnHtml(shown, address);
  yield '</main>\n</body>\n</html>\n';
}

const dayOf = (at: number): string => new Date(at).toISOString().slice(0, 10);

async function* turnHtml(
  { turn, others }: ShownTurn,
  address: PictureAddress,
): AsyncGenerator<string> {
  yield `<article class="turn ${turn.role}"><h2>${escapeHtml(speakerOf(turn))}</h2>\n`;
  yield* bodyHtml(turn, address);
  if (others.length > 0) {
    const count = others.length === 1 ? '1 other version' : `${others.length} other versions`;
    yield `<details><summary>${count}</summary>\n`;
    for (const other of others) {
      yield '<section class="version">\n';
      yield* bodyHtml(other, address);
      yield '</section>\n';
    }
    yield '</details>\n';
  }
  yield '</article>\n';
}

const speakerOf = ({ role, model }: Turn): string => (role === 'user' ? 'You' : (model ?? 'Model'));

async function* bodyHtml(turn: Turn, address: PictureAddress): AsyncGenerator<string> {
  for (const part of turn.parts) yield await partHtml(part, turn.role, address);
  const note = statusNote(turn.status);
  if (note !== '') yield `<p class="note">${escapeHtml(note)}</p>\n`;
}

async function partHtml(
  part: MessagePart,
  role: Turn['role'],
  address: PictureAddress,
): Promise<string> {
  switch (part.kind) {
    case 'text':
      // A person's words are shown as they were written.
      return role === 'user'
        ? `<p class="written" dir="auto">${escapeHtml(part.text.trim())}</p>\n`
        : `<div class="words" dir="auto">${markdownToHtml(part.text)}</div>\n`;
    case 'undrawn':
      return `<p class="note" dir="auto">Not drawn: ${escapeHtml(part.caption)}</p>\n`;
    case 'picture':
      return pictureHtml(part.picture, await address(part.picture));
    default:
      return part satisfies never;
  }
}

function pictureHtml(picture: Picture, source: string | null): string {
  const caption = escapeHtml(picture.caption ?? '');
  const { width, height, origin } = picture;
  const image =
    source === null
      ? '<p class="note">The picture’s file could not be read.</p>'
      : `<img src="${source}" alt="${escapeHtml(picture.alt ?? picture.caption ?? picture.name ?? 'Picture')}" width="${width}" height="${height}">`;
  const recipe =
    picture.recipe === null
      ? ''
      : ` <span class="recipe">seed ${picture.recipe.seed}, ${picture.recipe.steps} steps, guidance ${picture.recipe.guidance}, ${escapeHtml(picture.recipe.model)}</span>`;
  const words =
    caption === '' && recipe === ''
      ? ''
      : `<figcaption dir="auto">${caption}${recipe}</figcaption>`;
  return `<figure class="${origin}">${image}${words}</figure>\n`;
}
