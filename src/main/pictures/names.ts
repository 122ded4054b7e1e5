import path from 'node:path';
import type { Picture } from '../../shared/domain/picture.ts';

/** By media type, the ending that a picture's file has. */
export const pictureExtensions = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/avif': 'avif',
} as const satisfies Record<Picture['mediaType'], string>;

/** Letters of a kept file name. */
const mostLetters = 200;

/** What a browser calls a picture from the clipboard: it says nothing. */
const pastedName = /^image\.\w+$/i;

/** The name of a file that a person brought, as it is kept and read out; undefined where it says nothing. */
export function keptName(given: string): string | undefined {
  const last = given.split(/[\\/]/).at(-1) ?? '';
  const name = last
    .replaceAll(/\p{Cc}/gu, '')
    .trim()
    .slice(0, mostLetters);
  return name === '' || pastedName.test(name) ? undefined : name;
}

/** A file name from a title: no character that any system refuses; `otherwise` where nothing is left. */
export function fileNameOf(title: string, otherwise = 'Conversation'): string {
  const name = [...title]
    .map((character) => (/[\p{L}\p{N} _.()-]/u.test(character) ? character : ' '))
    .join('')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 80)
    .replace(/^[. ]+|[. ]+$/g, '');
  // Windows keeps these names for devices.
  return name === '' || /^(con|prn|aux|nul|com\d|lpt\d)$/i.test(name)
    ? `${otherwise} ${name}`.trim()
    : name;
}

/** What a picture's file is called outside: after its caption or the file that it came in. */
export function outsideName(picture: Picture): string {
  const { name, caption, alt, mediaType, hash } = picture;
  const base = name === undefined ? (caption ?? alt ?? '') : path.parse(name).name;
  const called = base.trim() === '' ? hash.slice(0, 16) : fileNameOf(base, 'Picture');
  return `${called}.${pictureExtensions[mediaType]}`;
}
