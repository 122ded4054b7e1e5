import { sentenceOf, type Api } from '../api.ts';

export const places = ['chat', 'trash', 'gallery', 'training', 'models', 'settings'] as const;
export type Place = (typeof places)[number];

/** What the inspector on the right is about. */
export type Inspected =
  | { readonly kind: 'picture'; readonly turnId: string; readonly partIndex: number }
  | { readonly kind: 'reply'; readonly turnId: string }
  | { readonly kind: 'sampling' };

const noticeMs = 8000;

/** Where the person is, what is open beside it, and what has to be said that belongs to no place. */
export class ShellStore {
  place = $state<Place>('chat');
  inspected = $state.raw<Inspected | null>(null);
  /** The list as a drawer, in a narrow window. */
  drawerOpen = $state(false);
  shortcutsOpen = $state(false);
  problem = $state<string | null>(null);
  /** What a person should know and may miss once: it stays until it is dismissed. */
  standing = $state<string | null>(null);
  /** Good news that passes by itself, such as where a file was saved. */
  notice = $state<string | null>(null);
  /** What can be done about it. */
  noticeAct = $state.raw<{ readonly label: string; readonly act: () => void } | null>(null);
  readonly #api: Api;
  #noticeTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(api: Api) {
    this.#api = api;
    api.on('app.problem', ({ error }) => {
      this.problem = error.message;
    });
    api.on('app.notice', ({ message }) => {
      this.standing = message;
    });
  }

  go(place: Place): void {
    this.place = place;
    this.drawerOpen = false;
  }

  inspect(inspected: Inspected | null): void {
    this.inspected = inspected;
  }

  say(notice: string, act: ShellStore['noticeAct'] = null): void {
    this.noticeAct = act;
    if (this.#noticeTimer !== null) clearTimeout(this.#noticeTimer);
    this.notice = notice;
    this.#noticeTimer = setTimeout(() => (this.notice = null), noticeMs);
  }

  async openLink(url: string): Promise<void> {
    await this.#try(() => this.#api.request('app.openLink', { url }));
  }

  async openLogFolder(): Promise<void> {
    await this.#try(() => this.#api.request('app.openLogFolder', null));
  }

  async savePicture(pictureId: string): Promise<void> {
    await this.#try(async () => {
      const saved = await this.#api.request('pictures.save', { pictureId });
      if (saved !== null) this.say(`Picture saved to ${saved.path}`);
    });
  }

  async #try(action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch (error) {
      this.problem = sentenceOf(error);
    }
  }
}
