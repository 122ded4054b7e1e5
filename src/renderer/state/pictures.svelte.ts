import type { Picture, PictureChange } from '../../shared/domain/picture.ts';
import type { Api } from '../api.ts';
import { copyPicture } from './copy-picture.ts';
import type { ShellStore } from './shell.svelte.ts';
import { sentenceOf, t } from '../texts.svelte.ts';

/** What can be done with a picture wherever it is shown. What goes wrong is said where the window says such things. */
export class PicturesStore {
  /** A picture that a person put into their message from elsewhere; the composer takes it and sets null. */
  offered = $state.raw<Picture | null>(null);
  readonly #api: Api;
  readonly #shell: ShellStore;

  constructor(api: Api, shell: ShellStore) {
    this.#api = api;
    this.#shell = shell;
  }

  /** Changes what a person says of it; every view hears of it by `pictures.changed`. */
  async change({ id }: Picture, change: PictureChange): Promise<boolean> {
    return this.#try(async () => {
      await this.#api.request('pictures.change', { pictureId: id, change });
    });
  }

  /** The page's own drag becomes one of the picture's file, which the desktop and the composer take. */
  drag(event: DragEvent, { id }: Picture): void {
    event.preventDefault();
    void this.#try(async () => {
      await this.#api.request('pictures.drag', { pictureId: id });
    });
  }

  async copy(picture: Picture): Promise<void> {
    const copied = await this.#try(() => copyPicture(this.#api.pictureUrl(picture.hash)));
    if (copied) this.#shell.say(t.shell.pictureCopied);
  }

  save({ id }: Picture): Promise<void> {
    return this.#shell.savePicture(id);
  }

  /** Puts it at the cursor of the message that is being written. */
  putIntoMessage(picture: Picture): void {
    this.offered = picture;
    this.#shell.go('chat');
  }

  async #try(action: () => Promise<unknown>): Promise<boolean> {
    try {
      await action();
      return true;
    } catch (error) {
      this.#shell.problem = sentenceOf(error);
      return false;
    }
  }
}
