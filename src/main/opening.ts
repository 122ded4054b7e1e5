import path from 'node:path';
import type { OpenedPlace } from '../shared/domain/opening.ts';
import type { Logger } from '../base/log.ts';

/** What another program asks the app to show: by a link, or by a file that is the app's. */
export type Opening =
  | { readonly kind: 'place'; readonly place: OpenedPlace }
  | { readonly kind: 'archive'; readonly file: string }
  /** A link that leads nowhere. */
  | { readonly kind: 'unknown' };

export const linkScheme = 'textbind';
export const archiveExtension = '.textbind';

/**
 * The only two links there are. Any page on the web may hold one, so a link shows a place and does nothing else: no
 * words are sent, nothing is written, no file is read.
 */
const linkPlaces = ['chat', 'trash', 'gallery', 'training', 'models', 'settings'] as const;
const conversationLink =
  /^textbind:\/\/conversation\/([0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})$/;

/** Reads a `textbind:` link. */
export function readLink(link: string): Opening {
  const place = linkPlaces.find((each) => link === `textbind://open/${each}`);
  if (place !== undefined) return { kind: 'place', place: { place, conversationId: null } };
  const conversationId = conversationLink.exec(link)?.[1];
  if (conversationId === undefined) return { kind: 'unknown' };
  return { kind: 'place', place: { place: 'chat', conversationId } };
}

/**
 * Finds what the desktop put behind the app's own switches: `%U` of the menu entry.
 * @param args the command line, the program's own path first
 * @param workingFolder what a relative path begins at
 * @returns null where nothing is to be opened
 */
export function readOpening(args: readonly string[], workingFolder: string): Opening | null {
  const asked = args.slice(1).filter((argument) => !argument.startsWith('-'));
  for (const argument of asked.reverse()) {
    if (argument.startsWith(`${linkScheme}:`)) return readLink(argument);
    if (argument.endsWith(archiveExtension))
      return { kind: 'archive', file: path.resolve(workingFolder, argument) };
  }
  return null;
}

export interface OpenerParts {
  /** Shows a place of the window. */
  readonly show: (place: OpenedPlace) => void;
  readonly isConversation: (conversationId: string) => boolean;
  /** Offers to import an archive: nothing of it is stored before a person says so. */
  readonly openArchive: (file: string) => void;
  /** Says something to the person, in the window. */
  readonly say: (message: string) => void;
  readonly log: Logger;
}

export interface Opener {
  /** What was asked for; before there is a window the last of it is kept. */
  take(opening: Opening | null): void;
  /** There is a window now, over this. */
  ready(parts: OpenerParts): void;
}

/** Joins what other programs ask for with the window. */
export function createOpener(): Opener {
  let parts: OpenerParts | null = null;
  let kept: Opening | null = null;
  const open = (opening: Opening): void => {
    if (parts === null) kept = opening;
    else show(opening, parts);
  };
  return {
    take: (opening) => void (opening !== null && open(opening)),
    ready(given) {
      parts = given;
      if (kept !== null) open(kept);
      kept = null;
    },
  };
}

function show(opening: Opening, parts: OpenerParts): void {
  const { show: go, isConversation, openArchive, say, log } = parts;
  log.info('asked to open', { kind: opening.kind });
  if (opening.kind === 'unknown')
    say('A link asked TextBind Studio for something that it does not know. Nothing was done.');
  else if (opening.kind === 'archive') openArchive(opening.file);
  else if (opening.place.conversationId !== null && !isConversation(opening.place.conversationId))
    say('A link asked for a conversation that is not on this machine.');
  else go(opening.place);
}
