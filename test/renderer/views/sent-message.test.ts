import { expect, it, vi } from 'vitest';
import { drawnSize, toolsFit } from '../../../src/renderer/views/chat/picture-size.ts';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { paint } from '../../support/painted-picture.ts';
import { all, get, openWindow, until } from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

it('a sent message stands as it was composed: pictures are letters of its line', async () => {
  const { main, studio } = await openWindow();
  const { id } = await main.services.pictures.add(paint('a fruit', 3), {
    name: 'fruit.png',
    fileName: 'fruit.png',
    origin: 'user',
    caption: null,
    recipe: null,
  });
  await studio.chat.send([
    { kind: 'text', text: 'قارن هذه ' },
    { kind: 'picture', pictureId: id },
    { kind: 'text', text: ' مع تلك' },
  ]);
  const turn = await until(() => all(testIds.turn)[0]!);
  const line = get(testIds.picture, turn).parentElement!;
  expect([...line.children].map((child) => (child as HTMLElement).dataset['testid'])).toEqual([
    testIds.turnText,
    testIds.picture,
    testIds.turnText,
  ]);
  expect(line.dir).toBe('auto');
  expect(line.textContent).toBe('قارن هذه  مع تلك');
  expect(get(testIds.composerInput).dir).toBe('auto');
  get(testIds.openPicture, turn).click();
  await until(() => get(testIds.lightbox));
  await until(() => expect(studio.chat.streamingTurn).toBeNull());
});

it.each([
  [{ width: 128, height: 128 }, true],
  [{ width: 1024, height: 1024 }, true],
  [{ width: 64, height: 1024 }, false],
  [{ width: 1024, height: 32 }, false],
  [{ width: 1024, height: 100 }, false],
])('the tools of a drawing of %o are on it: %s', (size, expected) => {
  expect(toolsFit(drawnSize(size))).toBe(expected);
});
