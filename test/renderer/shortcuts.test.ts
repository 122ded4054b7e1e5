import { describe, expect, it } from 'vitest';
import {
  actionOf,
  keysOf,
  listShortcuts,
  type ShortcutAction,
} from '../../src/renderer/shortcuts.ts';

const press = (
  key: string,
  change: Partial<Record<'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey', boolean>> = {},
) => ({
  key,
  ctrlKey: false,
  metaKey: false,
  altKey: false,
  shiftKey: false,
  ...change,
});

describe('actionOf', () => {
  it('takes Control, or Command on a Mac, and nothing else with it', () => {
    expect(actionOf(press('n', { ctrlKey: true }), 'linux')).toBe('new-conversation');
    expect(actionOf(press('n', { metaKey: true }), 'darwin')).toBe('new-conversation');
    expect(actionOf(press('n', { ctrlKey: true }), 'darwin')).toBeNull();
    expect(actionOf(press('n', { ctrlKey: true, shiftKey: true }), 'linux')).toBeNull();
    expect(actionOf(press('n'), 'linux')).toBeNull();
  });

  it('knows Escape by itself', () => {
    expect(actionOf(press('Escape'), 'linux')).toBe('escape');
  });
});

describe('keysOf', () => {
  it('names what a press of those keys does, on each platform', () => {
    const actions: readonly ShortcutAction[] = [
      'new-conversation',
      'search',
      'toggle-list',
      'add-pictures',
      'rate-up',
      'rate-down',
      'chat',
      'models',
      'settings',
      'shortcuts',
    ];
    for (const action of actions) {
      const key = (keys: string): string => keys.split(' ')[1]!;
      const [linux, mac] = [keysOf(action, 'linux'), keysOf(action, 'darwin')];
      expect(linux).toMatch(/^Ctrl \S$/);
      expect(mac).toMatch(/^⌘ \S$/);
      expect(actionOf(press(key(linux), { ctrlKey: true }), 'linux')).toBe(action);
      expect(actionOf(press(key(mac), { metaKey: true }), 'darwin')).toBe(action);
    }
  });
});

it('lists keys of the platform', () => {
  expect(listShortcuts('darwin').some(({ keys }) => keys === '⌘ N')).toBe(true);
  expect(listShortcuts('win32').some(({ keys }) => keys === 'Ctrl N')).toBe(true);
});
