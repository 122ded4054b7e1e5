/* eslint-disable svelte/prefer-svelte-reactivity -- these maps and sets are no state of the page */
import { benchOf, type BenchDrawing, type DrawingPlan } from '../../shared/domain/bench.ts';
import type { Picture, PictureRecipe } from '../../shared/domain/picture.ts';
import type { Api } from '../api.ts';
import { attempt } from './attempt.ts';
import type { ChatStore } from './chat.svelte.ts';
import type { PicturePlace } from './lightbox.svelte.ts';

/** What the bench is about: a caption, and where one of its drawings may go. */
export interface BenchSubject {
  /** Null: no reply has it; a drawing can be put into a message. */
  readonly place: PicturePlace | null;
  readonly caption: string;
  /** What the fields begin with; null: the settings. */
  readonly recipe: PictureRecipe | null;
}

/** The drawing bench: several drawings of one caption, and what becomes of them. */
export class BenchStore {
  /** Null: it is closed. What is being drawn goes on. */
  subject = $state.raw<BenchSubject | null>(null);
  /** Those of the bench that is open, newest first. */
  drawings = $state.raw<readonly BenchDrawing[]>([]);
  error = $state<string | null>(null);
  readonly #api: Api;
  readonly #chat: ChatStore;

  constructor(api: Api, chat: ChatStore) {
    this.#api = api;
    this.#chat = chat;
    api.on('bench.drawing', ({ drawing }) => this.#put(drawing));
    api.on('pictures.changed', ({ picture }) => {
      this.drawings = this.drawings.map((drawing) =>
        drawing.picture?.id === picture.id ? { ...drawing, picture } : drawing,
      );
    });
  }

  get isDrawing(): boolean {
    return this.drawings.some(({ state }) => state === 'queued' || state === 'drawing');
  }

  /** Opens the bench, with what was drawn on it since the app started. */
  show(subject: BenchSubject): void {
    this.subject = subject;
    this.drawings = [];
    this.error = null;
    void this.#try(async () => {
      const { drawings } = await this.#api.request('bench.list', { bench: benchOf(subject.place) });
      if (this.subject !== subject) return;
      const heard = new Set(this.drawings.map(({ id }) => id));
      const older = drawings.toReversed().filter(({ id }) => !heard.has(id));
      this.drawings = [...this.drawings, ...older];
    });
  }

  close(): void {
    this.subject = null;
  }

  /** Queues a drawing for each plan. True when they are queued. */
  draw(caption: string, plans: readonly DrawingPlan[]): Promise<boolean> {
    return this.#try(async () => {
      const bench = benchOf(this.subject?.place ?? null);
      const queued = await this.#api.request('bench.draw', { bench, caption, plans: [...plans] });
      // The first of them stands first, above those of before; of some an event may have come sooner than this answer.
      const heard = new Map(this.drawings.map((drawing) => [drawing.id, drawing]));
      const fresh = queued.drawings.map((drawing) => heard.get(drawing.id) ?? drawing);
      const ids = new Set(fresh.map(({ id }) => id));
      this.drawings = [...fresh, ...this.drawings.filter(({ id }) => !ids.has(id))];
    });
  }

  async cancel(drawings: readonly BenchDrawing[]): Promise<void> {
    const drawingIds = drawings.map(({ id }) => id);
    await this.#try(() => this.#api.request('bench.cancel', { drawingIds }));
  }

  cancelAll(): Promise<void> {
    return this.cancel(
      this.drawings.filter(({ state }) => state === 'queued' || state === 'drawing'),
    );
  }

  /** Makes a drawing the current version at its place. True when it is. */
  use(picture: Picture): Promise<boolean> {
    return this.#place(picture, true);
  }

  /** Keeps a drawing as a version beside the current one. */
  keep(picture: Picture): Promise<boolean> {
    return this.#place(picture, false);
  }

  async #place({ id: pictureId }: Picture, current: boolean): Promise<boolean> {
    const place = this.subject?.place ?? null;
    if (place === null) return true;
    return this.#try(async () => {
      const { turnId, partIndex } = place;
      const request = { turnId, partIndex, pictureId, current };
      this.#chat.show(await this.#api.request('bench.place', request));
    });
  }

  #has(id: string): boolean {
    return this.drawings.some((drawing) => drawing.id === id);
  }

  #put(drawing: BenchDrawing): void {
    if (this.subject === null || drawing.bench !== benchOf(this.subject.place)) return;
    this.drawings = this.#has(drawing.id)
      ? this.drawings.map((each) => (each.id === drawing.id ? drawing : each))
      : [drawing, ...this.drawings];
  }

  #try(action: () => Promise<unknown>): Promise<boolean> {
    return attempt(this, action);
  }
}
