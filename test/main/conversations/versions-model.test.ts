// Random operations against a plain model of what must be true: no version is ever lost, the current path is where it
// was left, and the database stays a tree, over restarts too. TEXTBIND_MODEL_RUNS sets how many runs (default 12).
import { expect, test } from 'vitest';
import type { StudioDatabase } from '../../../src/main/database/open.ts';
import type { PlannedEnd } from '../support/planned-engine.ts';
import { temporaryFolder } from '../support/storage.ts';
import { openVersionChat, spell } from '../support/version-chat.ts';

const runs = Number(process.env['TEXTBIND_MODEL_RUNS'] ?? 12);
const stepsPerRun = 40;

/** A turn as the model knows it: its words by place, each with every version it ever had. */
interface Node {
  readonly id: string;
  readonly role: 'user' | 'assistant';
  readonly parent: Node | null;
  readonly children: Node[];
  current: Node | null;
  deleted: number | null;
  /** At each place the versions, and which of them is current. */
  readonly places: { readonly versions: Version[]; current: Version }[];
}

interface Version {
  readonly words: string;
  deleted: number | null;
}

interface Deletion {
  readonly number: number;
  readonly id: string;
  readonly undo: () => void;
}

function makeNode(id: string, role: Node['role'], parent: Node, words: readonly string[]): Node {
  const places = words.map((each) => {
    const version: Version = { words: each, deleted: null };
    return { versions: [version], current: version };
  });
  const node: Node = { id, role, parent, children: [], current: null, deleted: null, places };
  parent.children.push(node);
  parent.current = node;
  return node;
}

/** The current path, deleted turns left out. */
function shownOf(root: Node): Node[] {
  const path: Node[] = [];
  for (let node = root.current; node !== null; node = node.current) path.push(node);
  return path.filter(({ deleted }) => deleted === null);
}

function endOf(root: Node): Node {
  let node = root;
  while (node.current !== null) node = node.current;
  return node;
}

const live = <Each extends { readonly deleted: number | null }>(all: readonly Each[]): Each[] =>
  all.filter(({ deleted }) => deleted === null);

/** Numbers from 0 to below 1, the same in each run of a seed (mulberry32). */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

class Run {
  readonly #folder = temporaryFolder();
  readonly #random: () => number;
  #app = openVersionChat(this.#folder);
  readonly #root: Node = {
    id: 'root',
    role: 'assistant',
    parent: null,
    children: [],
    current: null,
    deleted: null,
    places: [],
  };
  readonly #deletions: Deletion[] = [];
  #conversationId: string | null = null;
  #count = 0;
  readonly log: string[] = [];

  constructor(seed: number) {
    this.#random = seeded(seed);
  }

  async step(): Promise<void> {
    const operations = [
      this.#send,
      this.#send,
      this.#regenerate,
      this.#regenerate,
      this.#edit,
      this.#redraw,
      this.#redraw,
      this.#choose,
      this.#chooseDrawing,
      this.#delete,
      this.#deleteDrawing,
      this.#undo,
      this.#restart,
    ];
    const operation = this.#conversationId === null ? this.#send : this.#pick(operations)!;
    await operation.call(this);
    this.check();
  }

  check(): void {
    const { chat, store, database } = this.#app;
    const story = this.log.join('\n');
    const conversation = chat.open(this.#conversationId!);
    const shown = shownOf(this.#root);
    expect(
      conversation.turns.map(({ id, parts }) => [id, spell({ parts })]),
      story,
    ).toEqual(shown.map(({ id, places }) => [id, places.map((p) => p.current.words).join('')]));
    expect(conversation.versions.turns, story).toEqual(
      shown
        .map((node) => live(node.parent!.children).map(({ id }) => id))
        .filter((ids) => ids.length > 1),
    );
    expect(conversation.versions.drawings, story).toEqual(
      shown.flatMap(({ id, places }) =>
        places.flatMap(({ versions, current }, partIndex) => {
          const there = live(versions);
          if (there.length < 2) return [];
          return [{ turnId: id, partIndex, count: there.length, current: there.indexOf(current) }];
        }),
      ),
    );
    checkTree(database);
    // Every version there ever was is in the database, deleted or not.
    const stored = new Set(
      database
        .prepare<[], string>(
          `SELECT t.id || ' ' || p.position || ' ' || coalesce(p.body, i.caption)
           FROM parts p JOIN turns t ON t.key = p.turn_key LEFT JOIN pictures i ON i.key = p.picture_key`,
        )
        .pluck()
        .all(),
    );
    for (const line of this.#everyVersion(this.#root)) expect(stored, story).toContain(line);
    expect(store.pictures.dropUnused(Number.MAX_SAFE_INTEGER), story).toBe(0);
  }

  *#everyVersion(node: Node): Generator<string> {
    for (const [position, { versions }] of node.places.entries()) {
      for (const { words } of versions)
        yield `${node.id} ${position} ${words.replace(/[[\]]/g, '')}`;
    }
    for (const child of node.children) yield* this.#everyVersion(child);
  }

  #pick<Each>(from: readonly Each[]): Each | undefined {
    return from[Math.floor(this.#random() * from.length)];
  }

  #words(): string {
    this.#count += 1;
    return `w${this.#count}`;
  }

  /** What the model says next: words, and often a drawing. */
  #answer(): string[] {
    const words = this.#words();
    return this.#random() < 0.6 ? [words, `[c${words}]`, `${words}.`] : [words];
  }

  async #send(): Promise<void> {
    const [words, answer] = [this.#words(), this.#answer()];
    this.log.push(`send ${words} -> ${answer.join('')}`);
    const end = endOf(this.#root);
    const sent = await this.#app.talk(words, answer.join(''), this.#conversationId);
    this.#conversationId = sent.conversationId;
    const user = makeNode(sent.ids[0]!, 'user', end, [words]);
    makeNode(sent.ids[1]!, 'assistant', user, answer);
  }

  async #regenerate(): Promise<void> {
    const reply = this.#pick(shownOf(this.#root).filter(({ role }) => role === 'assistant'));
    if (reply === undefined) return;
    const ends = this.#pick<PlannedEnd>(['end', 'end', 'fail', 'die', 'hang'])!;
    const answer = this.#random() < 0.7 ? this.#answer() : [];
    this.log.push(`regenerate ${reply.id} -> ${answer.join('')} ${ends}`);
    const id = await this.#app.regenerate(reply.id, answer.join(''), ends);
    if (ends === 'hang') await this.#stop(answer.length > 0 ? id : null);
    if (answer.length > 0) makeNode(id, 'assistant', reply.parent!, answer);
  }

  /** Escape, once what is awaited of the new version is stored. */
  async #stop(id: string | null): Promise<void> {
    const { chat, engine } = this.#app;
    for (let turn = 0; turn < 50 || engine.plans.length > 0; turn += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    chat.stop(this.#conversationId!);
    await chat.idle();
    if (id !== null) expect(chat.find(id).turn.status).toBe('stopped');
  }

  async #edit(): Promise<void> {
    const message = this.#pick(shownOf(this.#root).filter(({ role }) => role === 'user'));
    if (message === undefined) return;
    const [words, answer] = [this.#words(), this.#answer()];
    this.log.push(`edit ${message.id}: ${words} -> ${answer.join('')}`);
    const [userId, replyId] = await this.#app.edit(message.id, words, answer.join(''));
    const user = makeNode(userId!, 'user', message.parent!, [words]);
    makeNode(replyId!, 'assistant', user, answer);
  }

  /** A drawing on the path, where there is one. */
  #drawing(): { node: Node; place: number } | undefined {
    const places = shownOf(this.#root).flatMap((node) =>
      node.role === 'assistant' && node.places.length > 1 ? [{ node, place: 1 }] : [],
    );
    return this.#pick(places);
  }

  async #redraw(): Promise<void> {
    const drawing = this.#drawing();
    if (drawing === undefined) return;
    const { node, place } = drawing;
    const ends = this.#pick<PlannedEnd>(['end', 'end', 'fail', 'die'])!;
    const again = this.#random() < 0.5;
    const caption = again ? node.places[place]!.current.words.slice(1, -1) : `c${this.#words()}`;
    this.log.push(`redraw ${node.id}: ${caption} ${ends}`);
    await this.#app.redraw(node.id, place, caption, ends);
    if (ends !== 'end') return;
    const version: Version = { words: `[${caption}]`, deleted: null };
    node.places[place]!.versions.push(version);
    node.places[place]!.current = version;
  }

  async #choose(): Promise<void> {
    const shown = shownOf(this.#root);
    const node = this.#pick(shown.flatMap(({ parent }) => live(parent!.children)));
    if (node === undefined) return;
    this.log.push(`choose ${node.id}`);
    this.#app.versions.choose(node.id);
    node.parent!.current = node;
  }

  async #chooseDrawing(): Promise<void> {
    const drawing = this.#drawing();
    if (drawing === undefined) return;
    const place = drawing.node.places[drawing.place]!;
    const chosen = this.#pick(live(place.versions))!;
    const index = live(place.versions).indexOf(chosen);
    this.log.push(`choose drawing ${index} of ${drawing.node.id}`);
    const turnId = drawing.node.id;
    this.#app.versions.chooseDrawing({ turnId, partIndex: drawing.place, index });
    place.current = chosen;
  }

  async #delete(): Promise<void> {
    const node = this.#pick(shownOf(this.#root));
    if (node === undefined) return;
    const siblings = live(node.parent!.children);
    if (siblings.length === 1 && node.role === 'assistant') return;
    this.log.push(`delete ${node.id}, one of ${siblings.length}`);
    const { deletionId } = this.#app.versions.delete(node.id);
    const number = ++this.#count;
    const gone = siblings.length > 1 ? [...branchOf(node)] : [node, ...node.children];
    const marked = gone.filter(({ deleted }) => deleted === null);
    for (const each of marked) each.deleted = number;
    const at = siblings.indexOf(node);
    if (siblings.length > 1) node.parent!.current = siblings[at - 1] ?? siblings[at + 1]!;
    this.#remember(number, deletionId, () => {
      for (const each of marked) each.deleted = null;
      makeCurrent(node);
    });
  }

  async #deleteDrawing(): Promise<void> {
    const drawing = this.#drawing();
    if (drawing === undefined) return;
    const { node, place: partIndex } = drawing;
    const place = node.places[partIndex]!;
    const there = live(place.versions);
    if (there.length < 2) return;
    this.log.push(`delete drawing ${place.current.words} of ${node.id}`);
    const { deletionId } = this.#app.versions.deleteDrawing({ turnId: node.id, partIndex });
    const [removed, at] = [place.current, there.indexOf(place.current)];
    removed.deleted = ++this.#count;
    place.current = there[at - 1] ?? there[at + 1]!;
    this.#remember(this.#count, deletionId, () => {
      removed.deleted = null;
      place.current = removed;
    });
  }

  #remember(number: number, id: string, undo: () => void): void {
    this.#deletions.push({ number, id, undo });
  }

  async #undo(): Promise<void> {
    const deletion = this.#pick(this.#deletions);
    if (deletion === undefined) return;
    this.log.push(`undo ${deletion.number}`);
    this.#app.versions.restore(deletion.id);
    deletion.undo();
    this.#deletions.splice(this.#deletions.indexOf(deletion), 1);
  }

  async #restart(): Promise<void> {
    this.log.push('restart');
    this.#app.chat.close();
    this.#app.database.close();
    this.#app = openVersionChat(this.#folder);
  }
}

function* branchOf(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) yield* branchOf(child);
}

function makeCurrent(node: Node): void {
  for (let at: Node = node; at.parent !== null; at = at.parent) at.parent.current = at;
}

/** What must hold whatever was done: one current turn among brothers, one current part at a place, search in step. */
function checkTree(database: StudioDatabase): void {
  const count = (sql: string): unknown => database.prepare(sql).pluck().get();
  expect(
    count(`SELECT count(*) FROM (SELECT 1 FROM turns GROUP BY conversation_key, parent_key
      HAVING sum(is_current) <> 1)`),
  ).toBe(0);
  expect(
    count(`SELECT count(*) FROM (SELECT 1 FROM parts GROUP BY turn_key, position
      HAVING sum(is_current) <> 1)`),
  ).toBe(0);
  expect(database.pragma('foreign_key_check')).toEqual([]);
  const found = `SELECT p.key FROM parts p JOIN turns t ON t.key = p.turn_key
    WHERE p.deletion_key IS NULL AND t.deletion_key IS NULL`;
  expect(count(`SELECT count(*) FROM search WHERE rowid % 2 = 0`)).toBe(
    count(`SELECT count(*) FROM (${found})`),
  );
  expect(
    count(
      `SELECT count(*) FROM search WHERE rowid % 2 = 0 AND (rowid & 0xffffffff) / 2 NOT IN (${found})`,
    ),
  ).toBe(0);
  database.exec("INSERT INTO search (search) VALUES ('integrity-check')");
}

test.each(Array.from({ length: runs }, (_, seed) => seed + 1))(
  `random operations never lose a version: seed %i`,
  async (seed) => {
    const run = new Run(seed);
    for (let step = 0; step < stepsPerRun; step += 1) await run.step();
    expect(run.log.length).toBeGreaterThan(stepsPerRun / 2);
  },
  120_000,
);
