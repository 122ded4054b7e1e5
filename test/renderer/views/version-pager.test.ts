import { cleanup, render } from '@testing-library/svelte';
import { afterEach, describe, expect, it } from 'vitest';
import VersionPager from '../../../src/renderer/components/VersionPager.svelte';

function pager(index: number, count: number, disabled = false) {
  const chosen: number[] = [];
  const { container } = render(VersionPager, {
    props: {
      index,
      count,
      what: 'reply',
      disabled,
      onchoose: (to: number) => void chosen.push(to),
    },
  });
  const [earlier, later] = [...container.querySelectorAll('button')] as [
    HTMLButtonElement,
    HTMLButtonElement,
  ];
  const press = (key: string, change: KeyboardEventInit = {}) =>
    earlier.dispatchEvent(new KeyboardEvent('keydown', { key, bubbles: true, ...change }));
  return { chosen, container, earlier, later, press };
}

describe('VersionPager', () => {
  afterEach(() => cleanup());

  it('says which of how many, and its buttons have names', () => {
    const { container, earlier, later } = pager(1, 3);
    expect(container.textContent?.replace(/\s+/g, ' ').trim()).toBe('Version 2 /of 3');
    expect(earlier.getAttribute('aria-label')).toBe('Earlier version of this reply');
    expect(later.getAttribute('aria-label')).toBe('Later version of this reply');
    expect(container.querySelector('[role="group"]')?.getAttribute('aria-label')).toBe(
      'Versions of this reply',
    );
  });

  it('goes both ways by button and by arrow key, and leaves other keys alone', () => {
    const { chosen, earlier, later, press } = pager(1, 3);
    earlier.click();
    later.click();
    press('ArrowLeft');
    press('ArrowRight');
    press('ArrowLeft', { altKey: true });
    press('ArrowUp');
    expect(chosen).toEqual([0, 2, 0, 2]);
  });

  it('stays in the focus order at its ends, where it does nothing', () => {
    const { chosen, earlier, press } = pager(0, 2);
    expect(earlier.getAttribute('aria-disabled')).toBe('true');
    expect(earlier.disabled).toBe(false);
    earlier.click();
    press('ArrowLeft');
    expect(chosen).toEqual([]);
    expect(pager(0, 2, true).later.getAttribute('aria-disabled')).toBe('true');
  });
});
