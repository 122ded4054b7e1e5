import { mount, unmount } from 'svelte';
import type { DraftsStore } from '../../state/drafts.svelte.ts';
import ComposerPicture from './ComposerPicture.svelte';
import type { ComposerEditorOptions, PictureChip } from './composer-editor.ts';

/** Where a chip finds its picture. */
export interface ChipSource {
  readonly drafts: DraftsStore;
  readonly pictureUrl: (hash: string) => string;
}

/** How an editor shows the pictures of a draft, and takes more. */
export function picturesOf(
  source: ChipSource,
): Pick<ComposerEditorOptions, 'makeChip' | 'addFiles'> {
  return {
    makeChip: (uploadId, remove) => mountPictureChip(source, uploadId, remove),
    addFiles: (files) => files.map((file) => source.drafts.add(file)),
  };
}

/** A picture in the line of an editor. It lives in the editor's own DOM, so it is mounted by hand. */
function mountPictureChip(
  { drafts, pictureUrl }: ChipSource,
  uploadId: string,
  remove: () => void,
): PictureChip {
  const element = document.createElement('span');
  element.contentEditable = 'false';
  // Its state is fed through one object.
  const live = $state({ selected: false });
  const component = mount(ComposerPicture, {
    target: element,
    props: {
      get upload() {
        return drafts.uploads.get(uploadId);
      },
      get selected() {
        return live.selected;
      },
      pictureUrl,
      onremove: remove,
    },
  });
  return {
    element,
    setSelected: (selected) => (live.selected = selected),
    destroy: () => void unmount(component),
  };
}
