import { expect, it, vi } from 'vitest';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { all, find, get, openWindow, press, until } from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

async function choose(id: (typeof testIds)[keyof typeof testIds]): Promise<void> {
  get(testIds.pictureWish).focus();
  press('Enter');
  await until(() => get(id));
  get(id).focus();
  press('Enter');
  await until(() => expect(find(id)).toBeNull());
}

async function say(words: string): Promise<HTMLElement> {
  const before = all(testIds.turn).length;
  const input = get(testIds.composerInput) as HTMLElement & {
    editor: { commands: { insertContent(text: string): void } };
  };
  input.editor.commands.insertContent(words);
  await until(() => expect((get(testIds.send) as HTMLButtonElement).disabled).toBe(false));
  get(testIds.send).click();
  return until(() => {
    const last = all(testIds.turn).at(-1);
    expect(all(testIds.turn)).toHaveLength(before + 2);
    expect(last?.dataset['status']).toBe('complete');
    return last!;
  });
}

it('a picture, or none, can be wished of one reply, by keyboard, and then the model decides again', async () => {
  await openWindow();
  expect(get(testIds.pictureWish).dataset['wish']).toBe('none');
  await choose(testIds.wishDraw);
  expect(get(testIds.pictureWish).dataset['wish']).toBe('draw');
  const drawn = await say('How are you?');
  expect(drawn.querySelector('.part')?.querySelector('[data-origin="drawn"]')).not.toBeNull();
  expect(get(testIds.pictureWish).dataset['wish']).toBe('none');
  await choose(testIds.wishWords);
  const words = await say('Can you draw a cat?');
  expect(all(testIds.picture, words)).toEqual([]);
  expect(all(testIds.undrawn, words)).toEqual([]);
  const free = await say('Can you draw a dog?');
  expect(all(testIds.picture, free)).toHaveLength(1);
});
