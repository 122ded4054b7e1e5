import type { HTMLImgAttributes } from 'svelte/elements';
import { altOf, type Picture } from '../../shared/domain/picture.ts';
import type { Api } from '../api.ts';
import type { PicturesStore } from '../state/pictures.svelte.ts';
import { t } from '../texts.svelte.ts';

/** What every `<img>` of a stored picture has, wherever a conversation shows it: its file, its words, and its drag. */
export function imageOf(
  picture: Picture,
  { pictureUrl }: Pick<Api, 'pictureUrl'>,
  pictures: PicturesStore,
): HTMLImgAttributes {
  return {
    src: pictureUrl(picture.hash),
    alt: altOf(picture) ?? t.common.yourPicture,
    decoding: 'async',
    draggable: 'true',
    ondragstart: (event) => pictures.drag(event, picture),
  };
}
