import { randomUUID } from 'node:crypto';
import type { WireError } from '../../../shared/errors.ts';
import { FieldRepair, lostPart, lostTitle, type Row } from './fields.ts';
import type { NamedRow, ReadRows } from './read.ts';
import { mendTree } from './tree.ts';

/** Rows that belong together again, and what had to be done for that. */
export interface MendedRows {
  readonly tables: ReadonlyMap<string, readonly Row[]>;
  /** Rows that stand for something that was lost, or were put together from what full text had kept. */
  readonly patched: number;
  /** Rows of which one field was set anew because it could not be so. */
  readonly repaired: number;
  /** What is missing, a sentence each, by the conversation's title. */
  readonly losses: readonly string[];
}

/** From this form on turns hang on one another instead of having a position. */
const treeForm = 2;
const lostPicture: WireError = {
  kind: 'storage',
  message: 'What the database knew of this picture could not be read: it was damaged.',
  detail: null,
};

/** Makes rows fit to be stored again: what refers to nothing gets something to refer to, and nothing readable goes. */
export function mendRows(read: ReadRows): MendedRows {
  const rowsOf = (table: string): Row[] => (read.tables.get(table) ?? []).map(copyRow);
  const mended = new Mender(
    rowsOf('conversations'),
    rowsOf('turns'),
    rowsOf('parts'),
    rowsOf('pictures'),
    rowsOf('deletions'),
    read.indexed,
  );
  return mended.run(read);
}

/** One mending: four tables that refer to one another. */
class Mender {
  readonly #conversations: Map<number, Row>;
  readonly #turns: Map<number, Row>;
  readonly #parts: Map<number, Row>;
  readonly #pictures: Map<number, Row>;
  readonly #deletions: Map<number, Row>;
  readonly #indexed: ReadRows['indexed'];
  readonly #losses = new Map<number, { turns: number; parts: number }>();
  /** Parts by turn, turns by conversation, and pictures that some part shows; made once all rows are adopted. */
  #partsByTurn = new Map<number, Row[]>();
  #turnsByConversation = new Map<number, Row[]>();
  #shown = new Set<number>();
  readonly #fields = new FieldRepair();
  #patched = 0;

  constructor(
    conversations: Row[],
    turns: Row[],
    parts: Row[],
    pictures: Row[],
    deletions: Row[],
    indexed: ReadRows['indexed'],
  ) {
    this.#conversations = byKey(conversations);
    this.#turns = byKey(turns);
    this.#parts = byKey(parts);
    this.#pictures = byKey(pictures);
    this.#deletions = byKey(deletions);
    this.#indexed = indexed;
  }

  run({ tables, form, badPages }: ReadRows): MendedRows {
    this.#fields.run({
      conversations: this.#conversations,
      turns: this.#turns,
      parts: this.#parts,
      pictures: this.#pictures,
    });
    this.#adoptTurns();
    this.#adoptParts();
    this.#readIndex();
    if (badPages !== 0) this.#placePictures();
    this.#replacePictures();
    if (form >= treeForm) this.#mendTree();
    else this.#separatePositions();
    this.#countGaps();
    const losses = [...this.#losses].map(([key, lost]) => this.#sentence(key, lost));
    const result = new Map<string, readonly Row[]>(tables);
    for (const [name, rows] of [
      ['conversations', this.#conversations],
      ['turns', this.#turns],
      ['parts', this.#parts],
      ['pictures', this.#pictures],
      ['deletions', this.#deletions],
    ] as const) {
      // A turn comes before those that hang on it.
      result.set(
        name,
        [...rows.values()].sort((a, b) => a.key - b.key),
      );
    }
    const { repaired } = this.#fields;
    return { tables: result, patched: this.#patched, repaired, losses };
  }

  #adoptTurns(): void {
    for (const turn of this.#turns.values()) {
      const key = Number(turn.columns['conversation_key']);
      this.#conversation(key, Number(turn.columns['created_at']));
    }
  }

  /** The conversation, or one in its place with the title that full text still has. */
  #conversation(key: number, at: number): Row {
    const known = this.#conversations.get(key);
    if (known !== undefined) return known;
    const title = this.#indexed.get(2 * key + 1)?.body ?? lostTitle;
    const marks = { deleted_at: null, pinned: 0, archived: 0, tags: '[]', settings: null };
    const columns = { id: randomUUID(), title, created_at: at, updated_at: at, ...marks };
    const row: Row = { key, columns };
    this.#conversations.set(key, row);
    this.#patched += 1;
    return row;
  }

  #adoptParts(): void {
    for (const part of this.#parts.values()) {
      const turnKey = Number(part.columns['turn_key']);
      if (this.#turns.has(turnKey)) continue;
      const conversation = this.#indexed.get(2 * part.key)?.conversation;
      this.#turn(turnKey, conversation);
    }
  }

  /** A turn in the place of one that is lost: between those whose keys stand around its own. */
  #turn(key: number, conversationKey: number | undefined): Row {
    const neighbour = nearest(
      [...this.#turns.values()].filter(
        ({ columns }) =>
          conversationKey === undefined || columns['conversation_key'] === conversationKey,
      ),
      key,
    );
    const owner =
      conversationKey ?? (Number(neighbour?.columns['conversation_key']) || this.#spareKey());
    const conversation = this.#conversation(owner, Number(neighbour?.columns['created_at'] ?? 0));
    const position = Number(neighbour?.columns['position'] ?? -1);
    const row: Row = {
      key,
      columns: {
        id: randomUUID(),
        conversation_key: conversation.key,
        // The position of a turn follows its key; where another has it, they are parted later.
        position: Math.max(0, position + key - (neighbour?.key ?? key)),
        role: neighbour?.columns['role'] === 'user' ? 'assistant' : 'user',
        status: 'complete',
        error: null,
        notices: '[]',
        usage: null,
        model: null,
        created_at: neighbour?.columns['created_at'] ?? 0,
        // The same for turns that hang on one another.
        parent_key: neighbour !== undefined && neighbour.key < key ? neighbour.key : null,
        is_current: 1,
        deletion_key: null,
      },
    };
    this.#turns.set(key, row);
    this.#patched += 1;
    return row;
  }

  #spareKey(): number {
    return Math.max(0, ...this.#conversations.keys()) + 1;
  }

  /** Words that only full text has kept: their parts are lost. */
  #readIndex(): void {
    this.#partsByTurn = grouped(this.#parts.values(), 'turn_key');
    this.#turnsByConversation = grouped(this.#turns.values(), 'conversation_key');
    this.#shown = new Set(
      [...this.#parts.values()].map(({ columns }) => Number(columns['picture_key'])),
    );
    for (const [rowid, { body, conversation }] of [...this.#indexed].sort(([a], [b]) => a - b)) {
      // Odd rows are titles: those of conversations that are missed are taken when they are missed.
      if (rowid % 2 === 1 || this.#parts.has(rowid / 2)) continue;
      this.#conversation(conversation, 0);
      this.#placePart(rowid / 2, body, conversation);
    }
  }

  /** Drawings whose parts are lost, full text's copy with them: beside that of the drawing before. */
  #placePictures(): void {
    for (const picture of [...this.#pictures.values()].sort((a, b) => a.key - b.key)) {
      const { origin, caption } = picture.columns;
      if (this.#shown.has(picture.key) || origin !== 'drawn' || typeof caption !== 'string')
        continue;
      const showing = [...this.#parts.values()].filter(
        ({ columns }) => columns['picture_key'] !== null,
      );
      const before = showing.findLast(
        ({ columns }) => Number(columns['picture_key']) < picture.key,
      );
      const turn = this.#turns.get(Number(before?.columns['turn_key']));
      const owner = Number(turn?.columns['conversation_key']) || this.#spareKey();
      this.#conversation(owner, 0);
      this.#placePart(Math.max(0, ...this.#parts.keys()) + 1, caption, owner);
    }
  }

  #placePart(key: number, body: string, conversation: number): void {
    const turn = this.#turnFor(key, conversation);
    const picture = this.#pictureFor(body);
    const beside = this.#partsByTurn.get(turn.key) ?? [];
    const row: Row = {
      key,
      columns: {
        turn_key: turn.key,
        position: Math.max(-1, ...beside.map(({ columns }) => Number(columns['position']))) + 1,
        kind: picture === undefined ? 'text' : 'picture',
        body: picture === undefined ? (body === '' ? lostPart : body) : null,
        picture_key: picture?.key ?? null,
        error: null,
        is_current: 1,
        deletion_key: null,
      },
    };
    if (picture !== undefined) this.#shown.add(picture.key);
    this.#parts.set(key, row);
    this.#partsByTurn.set(turn.key, [...beside, row]);
    this.#patched += 1;
  }

  /** A picture that no part shows and whose caption (none: a person's own) is what full text kept of the part. */
  #pictureFor(body: string): Row | undefined {
    const caption = body === '' ? null : body;
    return [...this.#pictures.values()].find(
      (row) => row.columns['caption'] === caption && !this.#shown.has(row.key),
    );
  }

  /** The first turn without parts behind the one whose part came before; else that turn; else a new one. */
  #turnFor(partKey: number, conversation: number): Row {
    const turns = (this.#turnsByConversation.get(conversation) ?? []).toSorted(
      (a, b) => Number(a.columns['position']) - Number(b.columns['position']) || a.key - b.key,
    );
    const partsOf = (turn: Row): readonly Row[] => this.#partsByTurn.get(turn.key) ?? [];
    const before = turns.findLast((turn) => partsOf(turn).some(({ key }) => key < partKey));
    const from = before === undefined ? 0 : turns.indexOf(before);
    const empty = turns.slice(from).find((turn) => partsOf(turn).length === 0);
    const place = empty ?? before ?? turns[0];
    if (place !== undefined) return place;
    const made = this.#turn(Math.max(0, ...this.#turns.keys()) + 1, conversation);
    this.#turnsByConversation.set(conversation, [made]);
    return made;
  }

  /** A part whose picture's row is lost: its caption, which can be drawn again, or words that say so. */
  #replacePictures(): void {
    for (const { key, columns } of this.#parts.values()) {
      if (columns['kind'] !== 'picture' || this.#pictures.has(Number(columns['picture_key'])))
        continue;
      const caption = this.#indexed.get(2 * key)?.body ?? '';
      const put =
        caption === ''
          ? { kind: 'text', body: lostPart }
          : { kind: 'undrawn', body: caption, error: JSON.stringify(lostPicture) };
      Object.assign(columns, put, { picture_key: null });
      this.#patched += 1;
    }
  }

  /** What no conversation owns any more is no deletion; and a turn hangs on one that is there. */
  #mendTree(): void {
    for (const { key, columns } of [...this.#deletions.values()]) {
      this.#fields.renewId(columns);
      if (!this.#conversations.has(Number(columns['conversation_key'])))
        this.#deletions.delete(key);
    }
    const lost = mendTree(this.#turns, [...this.#parts.values()], this.#deletions);
    for (const [conversation, turns] of lost) {
      this.#losses.set(conversation, { turns, parts: 0 });
      this.#patched += turns;
    }
  }

  /** No two in one place: the later key moves behind. */
  #separatePositions(): void {
    separate([...this.#turns.values()], 'conversation_key');
    separate([...this.#parts.values()], 'turn_key');
  }

  /** Places that are empty in a conversation or in a turn held what is lost. */
  #countGaps(): void {
    const partPlaces = grouped(this.#parts.values(), 'turn_key');
    for (const [conversation, turns] of grouped(this.#turns.values(), 'conversation_key')) {
      const lostTurns = gaps(turns);
      let lostParts = 0;
      for (const turn of turns) {
        const parts = partPlaces.get(turn.key);
        if (parts !== undefined) lostParts += gaps(parts);
        else if (turn.columns['role'] === 'user' || turn.columns['status'] === 'complete')
          lostParts += 1;
      }
      const known = this.#losses.get(conversation)?.turns ?? 0;
      if (known + lostTurns + lostParts > 0) {
        this.#losses.set(conversation, { turns: known + lostTurns, parts: lostParts });
      }
    }
  }

  #sentence(key: number, { turns, parts }: { turns: number; parts: number }): string {
    const title = String(this.#conversations.get(key)?.columns['title'] ?? lostTitle);
    const missing = [
      turns === 0 ? '' : `${turns} ${turns === 1 ? 'turn' : 'turns'}`,
      parts === 0 ? '' : `the content of ${parts} ${parts === 1 ? 'turn' : 'turns'}`,
    ].filter((words) => words !== '');
    return `“${title}” lacks ${missing.join(' and ')}.`;
  }
}

function copyRow({ key, columns }: NamedRow): Row {
  return { key, columns: { ...columns } };
}

function byKey(rows: readonly Row[]): Map<number, Row> {
  return new Map(rows.map((row) => [row.key, row]));
}

function nearest(rows: readonly Row[], key: number): Row | undefined {
  const before = rows.filter((row) => row.key < key);
  const candidates = before.length > 0 ? before : rows;
  return candidates.toSorted((a, b) => Math.abs(a.key - key) - Math.abs(b.key - key))[0];
}

function grouped(rows: Iterable<Row>, column: string): Map<number, Row[]> {
  const groups = new Map<number, Row[]>();
  for (const row of rows) {
    const group = Number(row.columns[column]);
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [row]);
    else members.push(row);
  }
  return groups;
}

function separate(rows: readonly Row[], column: string): void {
  for (const members of grouped(rows, column).values()) {
    members.sort(
      (a, b) => Number(a.columns['position']) - Number(b.columns['position']) || a.key - b.key,
    );
    let last = -1;
    for (const { columns } of members) {
      if (Number(columns['position']) <= last) columns['position'] = last + 1;
      last = Number(columns['position']);
    }
  }
}

/** Places below the last that nothing stands in. */
function gaps(rows: readonly Row[]): number {
  const all = rows.map(({ columns }) => Number(columns['position']));
  const places = new Set(all.filter((place) => place < 1_000_000));
  return Math.max(-1, ...places) + 1 - places.size;
}
