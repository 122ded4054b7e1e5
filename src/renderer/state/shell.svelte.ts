import type { EditCommand } from '../../shared/domain/edit-command.ts';
import type { Api } from '../api.ts';
import { said, sentenceOf, t } from '../texts.svelte.ts';

export const places = [
  'chat',
  'trash',
  'gallery',
  'training',
  'models',
  'settings',
  'doctor',
] as const;
export type Place = (typeof places)[number];

/** What the inspector on the right is about. */
export type Inspected =
  | { readonly kind: 'picture'; readonly turnId: string; readonly partIndex: number }
  | { readonly kind: 'reply'; readonly turnId: string }
  /** A reply that is to be written anew with other settings. */
  | { readonly kind: 'regenerate'; readonly turnId: string }
  | { readonly kind: 'sampling' };

const noticeMs = 8000;

/** Where the person is, what is open beside it, and what has to be said that belongs to no place. */
export class ShellStore {
  place = $state<Place>('chat');
  inspected = $state.raw<Inspected | null>(null);
  /** The list as a drawer, in a narrow window. */
  drawerOpen = $state(false);
  shortcutsOpen = $state(false);
  /** Counts how often the focus was to go to the message that is written. */
  composerWanted = $state(0);
  problem = $state<string | null>(null);
  /** What a person should know and may miss once: it stays until it is dismissed. */
  standing = $state<string | null>(null);
  /** Good news that passes by itself, such as where a file was saved. */
  notice = $state<string | null>(null);
  /** What can be done about it. */
  noticeAct = $state.raw<{ readonly label: string; readonly act: () => void } | null>(null);
  /** The file that the notice is about, which can be shown in its folder. */
  savedFile = $state<string | null>(null);
  readonly #api: Api;
  #noticeTimer: ReturnType<typeof setTimeout> | null = null;

  constructor(api: Api) {
    this.#api = api;
    api.on('app.problem', ({ error }) => {
      this.problem = said(error.message);
    });
    api.on('app.notice', ({ message }) => {
      this.standing = said(message);
    });
  }

  go(place: Place): void {
    this.place = place;
    this.drawerOpen = false;
  }

  /** Goes to the message that is written, from wherever one is. */
  focusComposer(): void {
    this.go('chat');
    this.composerWanted += 1;
  }

  inspect(inspected: Inspected | null): void {
    this.inspected = inspected;
  }

  /** Says it for a while; `about` is a file that was saved, or what can be done about it. */
  say(notice: string, about: string | ShellStore['noticeAct'] = null): void {
    this.unsay();
    this.noticeAct = typeof about === 'string' ? null : about;
    const file = typeof about === 'string' ? about : null;
    this.notice = notice;
    this.savedFile = file;
    this.#noticeTimer = setTimeout(() => this.unsay(), noticeMs);
  }

  unsay(): void {
    if (this.#noticeTimer !== null) clearTimeout(this.#noticeTimer);
    this.notice = null;
    this.savedFile = null;
    this.noticeAct = null;
  }

  async showFile(path: string): Promise<void> {
    await this.#try(() => this.#api.request('app.showFile', { path }));
  }

  async openLink(url: string): Promise<void> {
    await this.#try(() => this.#api.request('app.openLink', { url }));
  }

  /** Does it where the focus is, with the desktop's clipboard. */
  async edit(command: EditCommand): Promise<void> {
    await this.#try(() => this.#api.request('app.edit', { command }));
  }

  /** True when it is on the clipboard. */
  async copyText(words: string): Promise<boolean> {
    try {
      await navigator.clipboard.writeText(words);
      return true;
    } catch {
      this.problem = t.shell.textCouldNotBeCopied;
      return false;
    }
  }

  async openLogFolder(): Promise<void> {
    await this.#try(() => this.#api.request('app.openLogFolder', null));
  }

  async savePicture(pictureId: string): Promise<void> {
    await this.#try(async () => {
      const saved = await this.#api.request('pictures.save', { pictureId });
      if (saved !== null) this.say(t.shell.pictureSavedTo(saved.path), saved.path);
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
