import Copy from '@lucide/svelte/icons/copy';
import Download from '@lucide/svelte/icons/download';
import Maximize from '@lucide/svelte/icons/maximize-2';
import MessageSquarePlus from '@lucide/svelte/icons/message-square-plus';
import type { Picture } from '../../shared/domain/picture.ts';
import type { MenuItem } from '../components/menu-item.ts';
import type { PicturesStore } from '../state/pictures.svelte.ts';
import { t } from '../texts.svelte.ts';

/** What can be done with a picture wherever it is shown; `look` is null where it is looked at large already. */
export function pictureItems(
  pictures: Pick<PicturesStore, 'copy' | 'save' | 'putIntoMessage'>,
  picture: Picture,
  look: (() => void) | null,
): readonly MenuItem[] {
  return [
    ...(look === null ? [] : [{ label: t.shell.lookAtItLarge, icon: Maximize, act: look }]),
    {
      label: t.shell.putIntoMessage,
      icon: MessageSquarePlus,
      act: () => pictures.putIntoMessage(picture),
    },
    { label: t.shell.copyPicture, icon: Copy, act: () => void pictures.copy(picture) },
    { label: t.common.savePicture, icon: Download, act: () => void pictures.save(picture) },
  ];
}
