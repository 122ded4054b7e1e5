import type { ConversationSummary } from '../../shared/domain/conversation.ts';
import type { Picture } from '../../shared/domain/picture.ts';
import type { MessagePart, Turn } from '../../shared/domain/turn.ts';
import { StudioError } from '../../shared/errors.ts';

interface Entry {
  summary: ConversationSummary;
  turns: Turn[];
  deleted: boolean;
}

/** Conversations and pictures in memory, with main's rules. */
export class FakeStore {
  readonly entries = new Map<string, Entry>();
  readonly pictures = new Map<string, Picture>();
  /** Addresses to show pictures from, by hash. */
  readonly urls = new Map<string, string>();
  #clock = Date.now();

  now(): number {
    this.#clock = Math.max(this.#clock + 1, Date.now());
    return this.#clock;
  }

  create(title: string, createdAt = this.now()): Entry {
    const entry: Entry = {
      summary: {
        id: crypto.randomUUID(),
        title,
        createdAt,
        updatedAt: createdAt,
        turnCount: 0,
        snippet: null,
      },
      turns: [],
      deleted: false,
    };
    this.entries.set(entry.summary.id, entry);
    return entry;
  }

  get(conversationId: string): Entry {
    const entry = this.entries.get(conversationId);
    if (entry === undefined)
      throw new StudioError('not-found', 'This conversation is not stored here.');
    return entry;
  }

  entryOfTurn(turnId: string): Entry {
    for (const entry of this.entries.values()) {
      if (entry.turns.some(({ id }) => id === turnId)) return entry;
    }
    throw new StudioError('not-found', 'This turn is not stored here.');
  }

  list(query: string | null): ConversationSummary[] {
    const shown = [...this.entries.values()].filter(({ deleted }) => !deleted);
    const found = query === null ? shown : shown.flatMap((entry) => match(entry, query));
    return found.map(({ summary }) => summary).toSorted((a, b) => b.updatedAt - a.updatedAt);
  }

  update(entry: Entry, change: Partial<ConversationSummary>): ConversationSummary {
    entry.summary = { ...entry.summary, turnCount: entry.turns.length, ...change };
    return entry.summary;
  }

  /** Puts a turn in its place: replaced by id, else appended. */
  put(entry: Entry, turn: Turn): void {
    const index = entry.turns.findIndex(({ id }) => id === turn.id);
    if (index < 0) entry.turns.push(turn);
    else entry.turns[index] = turn;
    this.update(entry, { updatedAt: this.now() });
  }

  turn(role: Turn['role'], parts: MessagePart[], change: Partial<Turn> = {}): Turn {
    return {
      id: crypto.randomUUID(),
      role,
      parts,
      status: 'complete',
      error: null,
      notices: [],
      usage: null,
      model: role === 'assistant' ? 'TextBind mini' : null,
      createdAt: this.now(),
      ...change,
    };
  }

  async addPicture(
    bytes: Uint8Array,
    about: Pick<Picture, 'width' | 'height' | 'origin' | 'caption' | 'recipe'>,
    mediaType: Picture['mediaType'] = 'image/png',
  ): Promise<Picture> {
    const digest = await crypto.subtle.digest('SHA-256', bytes as BufferSource);
    const hash = [...new Uint8Array(digest)]
      .map((byte) => byte.toString(16).padStart(2, '0'))
      .join('');
    const picture = { id: crypto.randomUUID(), hash, mediaType, bytes: bytes.length, ...about };
    this.pictures.set(picture.id, picture);
    if (!this.urls.has(hash) && typeof URL.createObjectURL === 'function') {
      this.urls.set(hash, URL.createObjectURL(new Blob([bytes as BlobPart], { type: mediaType })));
    }
    return picture;
  }
}

function match(entry: Entry, query: string): Entry[] {
  const wanted = query.toLowerCase();
  const texts = entry.turns.flatMap(({ parts }) =>
    parts.map((part) =>
      part.kind === 'text'
        ? part.text
        : part.kind === 'undrawn'
          ? part.caption
          : (part.picture.caption ?? ''),
    ),
  );
  const found = [entry.summary.title, ...texts].find((text) => text.toLowerCase().includes(wanted));
  if (found === undefined) return [];
  const at = found.toLowerCase().indexOf(wanted);
  const snippet = `${at > 30 ? '…' : ''}${found.slice(Math.max(0, at - 30), at + 70)}`;
  return [{ ...entry, summary: { ...entry.summary, snippet } }];
}
