// Conversations that are there before the window looks: written beside the app, as another program may write.
import { createHash, randomUUID } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { openDatabase } from '../../../src/main/database/open.ts';
import { createStore, type Store } from '../../../src/main/database/store.ts';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { pictureSchema, type Picture } from '../../../src/shared/domain/picture.ts';
import { emptyTurn, type MessagePart, type Turn } from '../../../src/shared/domain/turn.ts';
import { paint } from '../../support/painted-picture.ts';
import { app } from './app.ts';
import { byId, engineReady, selector } from './window.ts';

/** A turn of words, a person's and a model's in turns. */
export function saidTurn(
  parts: string | readonly MessagePart[],
  index: number,
  over: Partial<Turn> = {},
): Turn {
  const isPerson = index % 2 === 0;
  return {
    ...emptyTurn({ id: randomUUID(), role: isPerson ? 'user' : 'assistant', createdAt: 1 }),
    parts: typeof parts === 'string' ? [{ kind: 'text', text: parts }] : [...parts],
    status: 'complete',
    model: isPerson ? null : 'Another model',
    ...over,
  };
}

/** Writes into the app's database in one transaction. */
export function write(work: (store: Store) => void): void {
  const data = path.join(app().userData, 'data');
  const database = openDatabase({
    file: path.join(data, 'textbind.db'),
    backupFolder: path.join(data, 'backups'),
  });
  const store = createStore(database);
  store.transaction(() => work(store));
  database.close();
}

/** A conversation of these turns. @returns its id */
export function addConversation(
  { conversations, turns }: Store,
  title: string,
  all: readonly Turn[],
  at = Date.now(),
): string {
  const id = randomUUID();
  conversations.create(id, title, at);
  for (const turn of all) turns.append(id, turn);
  return id;
}

/** A drawing of this size: its file, and its row. */
export function addDrawing({ pictures }: Store, width: number, height: number): Picture {
  const caption = `a ball of ${width} by ${height}`;
  const bytes = paint(caption, width + height, 1, { width, height });
  const hash = createHash('sha256').update(bytes).digest('hex');
  const file = path.join(app().userData, 'data', 'pictures', hash.slice(0, 2), hash);
  mkdirSync(path.dirname(file), { recursive: true });
  writeFileSync(file, bytes);
  const picture = pictureSchema.parse({
    id: randomUUID(),
    hash,
    mediaType: 'image/png',
    width,
    height,
    bytes: bytes.length,
    origin: 'drawn',
    caption,
    recipe: { seed: 1, steps: 4, guidance: 5, model: 'Another model' },
  });
  pictures.insert(picture, Date.now());
  return picture;
}

/** Opens the conversation of this title from the list. */
export async function openTitled(title: string): Promise<void> {
  await browser.execute(
    (item: string, wanted: string) => {
      const all = [...document.querySelectorAll<HTMLElement>(item)];
      all.find((each) => each.textContent.includes(wanted))!.click();
    },
    selector(testIds.conversationItem),
    title,
  );
  await browser.waitUntil(async () => (await byId(testIds.conversationTitle).getText()) === title);
}

/** The window as it is once what `fill` wrote stands in its list. */
export async function showFilled(fill: () => void): Promise<void> {
  await engineReady();
  fill();
  await browser.refresh();
  await engineReady();
  await byId(testIds.conversationItem).waitForDisplayed();
}
