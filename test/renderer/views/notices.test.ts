import { describe, expect, it, vi } from 'vitest';
import { markWords, sortNotices, statusSentence } from '../../../src/renderer/views/chat/words.ts';
import { testIds } from '../../../src/renderer/test-ids.ts';
import type { Notice } from '../../../src/shared/domain/turn.ts';
import { toWireError } from '../../../src/shared/errors.ts';
import { all, find, get, openWindow, until } from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const notice = (code: Notice['code']): Notice => ({ code, message: `About ${code}.` });

describe('what is said beside', () => {
  it('can be closed, and shows what was saved', async () => {
    const { main, studio, talk, folder } = await openWindow();
    await talk('Can you draw a cat?');
    await studio.shell.savePicture(get(testIds.picture).dataset['pictureId']!);
    await until(() => get(testIds.savedNotice));
    get(testIds.showSaved).click();
    await until(() => expect(main.shownFiles).toHaveLength(1));
    expect(main.shownFiles[0]).toContain(folder);
    get(testIds.barClose, get(testIds.savedNotice)).click();
    await until(() => expect(find(testIds.savedNotice)).toBeNull());
    studio.shell.say('Picture copied');
    await until(() => get(testIds.savedNotice));
    expect(find(testIds.showSaved)).toBeNull();
  });

  it('of a file that was never saved shows nothing', async () => {
    const { main, studio } = await openWindow();
    await studio.shell.showFile('/etc/passwd');
    await until(() => expect(get(testIds.problem).textContent).toContain('was not saved'));
    expect(main.shownFiles).toEqual([]);
  });

  it('of a deletion can be closed at once', async () => {
    const { studio, talk } = await openWindow();
    await talk('Hello');
    await studio.conversations.remove(studio.chat.summary!);
    get(testIds.barClose, await until(() => get(testIds.undoBar))).click();
    await until(() => expect(find(testIds.undoBar)).toBeNull());
  });
});

describe('notices of replies', () => {
  it('say once that the beginning is left out, then mark it', async () => {
    const { talk } = await openWindow();
    const first = await talk('/notice');
    expect(get(testIds.turnNotice, first).textContent).toContain('left out');
    const second = await talk('/notice');
    expect(find(testIds.turnNotice, second)).toBeNull();
    const mark = get(testIds.turnNoticeMark, second);
    expect(mark.textContent).toContain('Beginning left out');
    mark.click();
    await until(() => expect(get(testIds.turnNotice, second).textContent).toContain('left out'));
    expect(mark.getAttribute('aria-expanded')).toBe('true');
    expect(all(testIds.turnNoticeMark)).toHaveLength(1);
  });

  it('that come again and again are one mark, and what is damaged is always said', () => {
    const notices = [
      notice('too-many-pictures'),
      notice('damaged'),
      notice('too-many-pictures'),
      notice('stray-end'),
    ];
    const { full, marked } = sortNotices(notices, false);
    expect(full.map(({ code }) => code)).toEqual(['damaged']);
    expect(markWords(marked)).toBe('2 remarks');
    expect(markWords([notice('too-many-pictures')])).toBe('Wanted more pictures');
  });
});

it('a reply that the end of the app cut off is not laid to the engine', () => {
  const died = toWireError(new Error('the worker died'));
  expect(statusSentence({ status: 'interrupted', error: null })).toContain('app was closed');
  expect(statusSentence({ status: 'interrupted', error: died })).toContain('engine stopped');
});
