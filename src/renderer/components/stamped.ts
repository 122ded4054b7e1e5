import { mount, unmount, type Component } from 'svelte';
import type { Attachment } from 'svelte/attachments';

export type Icon = Component<{ size?: number; strokeWidth?: number }>;

const strokeWidth = 1.75;
const drawn = new Map<Icon, Map<number, Element>>();

function draw(icon: Icon, size: number): Element {
  const place = document.createElement('div');
  const component = mount(icon, { target: place, props: { size, strokeWidth } });
  const made = place.firstElementChild?.cloneNode(true);
  void unmount(component);
  if (!(made instanceof Element)) throw new Error('The icon is no element.');
  return made;
}

function drawnOnce(icon: Icon, size: number): Element {
  const sizes = drawn.get(icon) ?? new Map<number, Element>();
  drawn.set(icon, sizes);
  const made = sizes.get(size) ?? draw(icon, size);
  sizes.set(size, made);
  return made;
}

/**
 * Puts a copy of an icon into an element: the library's component makes it once. For icons that come by the thousand, where
 * a component each was most of what a turn cost.
 */
export const stamped =
  (icon: Icon, size: number): Attachment =>
  (element) =>
    element.replaceChildren(drawnOnce(icon, size).cloneNode(true));
