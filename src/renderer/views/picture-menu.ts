import Copy from '@lucide/svelte/icons/copy';
import Download from '@lucide/svelte/icons/download';
import Maximize from '@lucide/svelte/icons/maximize-2';
import MessageSquarePlus from '@lucide/svelte/icons/message-square-plus';
import type { Picture } from '../../shared/domain/picture.ts';
import type { MenuItem } from '../components/menu-item.ts';
import type { PicturesStore } from '../state/pictures.svelte.ts';

/** What can be done with a picture wherever it is shown. */
export function pictureItems(
  pictures: PicturesStore,
  picture: Picture,
  look: () => void,
): readonly MenuItem[] {
  return [
    { label: 'Look at it large', icon: Maximize, act: look },
    {
      label: 'Put into the message',
      icon: MessageSquarePlus,
      act: () => pictures.putIntoMessage(picture),
    },
    { label: 'Copy picture', icon: Copy, act: () => void pictures.copy(picture) },
    { label: 'Save picture', icon: Download, act: () => void pictures.save(picture) },
  ];
}
