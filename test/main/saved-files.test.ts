import { mkdirSync, rmSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { SavedFiles } from '../../src/main/saved-files.ts';
import { openTestStorage } from './support/storage.ts';

test('a dialog begins where the last file went, also after a start, and by name alone where that is gone', () => {
  const { store, folder } = openTestStorage();
  const chosen = path.join(folder, 'chosen');
  mkdirSync(chosen);
  const first = new SavedFiles(store.settings);
  expect(first.suggest('Cats.md')).toBe('Cats.md');
  first.note(path.join(chosen, 'Cats.md'));
  const next = new SavedFiles(store.settings);
  expect(next.suggest('Dogs.md')).toBe(path.join(chosen, 'Dogs.md'));
  rmSync(chosen, { recursive: true });
  expect(next.suggest('Dogs.md')).toBe('Dogs.md');
});

test('only what was saved from the window may be shown', () => {
  const { store, folder } = openTestStorage();
  const saved = new SavedFiles(store.settings);
  const file = path.join(folder, 'Cats.md');
  expect(() => saved.check(file)).toThrow('was not saved');
  saved.note(file);
  expect(() => saved.check(file)).not.toThrow();
});
