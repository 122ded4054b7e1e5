import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import sharp from 'sharp';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createApi } from '../../../src/renderer/api.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { readRecipe } from '../../../src/main/pictures/png-recipe.ts';
import type { Picture } from '../../../src/shared/domain/picture.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createMainHalf } from '../../support/main-half.ts';
import { paint } from '../../support/painted-picture.ts';
import { createScriptedWorkers } from '../../support/scripted-worker.ts';
import { temporaryFolder } from '../support/storage.ts';

const recipe = { seed: 7, steps: 12, guidance: 5, model: 'TextBind mini', negative: 'fog' };
const caption = 'a red apple';

/** Main as the window has it, with a drawing in its store. */
async function open() {
  const folder = temporaryFolder();
  const main = createMainHalf({
    folder,
    spawn: createScriptedWorkers(0).spawn,
    clock: new FakeClock(),
    log: silentLogger,
  });
  onTestFinished(() => main.close());
  const api = createApi(main.bridge);
  const drawing = await main.services.pictures.add(paint(caption, 7), {
    ...{ name: 'x', origin: 'drawn', caption, recipe },
  });
  const drag = async ({ id }: Picture): Promise<string> => {
    await api.request('pictures.drag', { pictureId: id });
    return main.dragged.at(-1) ?? '';
  };
  const add = (bytes: Uint8Array, name: string): Promise<Picture> =>
    api.request('pictures.add', { bytes: Uint8Array.from(bytes), name });
  return { main, api, folder, drawing, drag, add };
}

describe('a drawing on its way out', () => {
  test('is a file that is called after its caption, with its recipe in it', async () => {
    const { drawing, drag } = await open();
    const file = await drag(drawing);
    expect(path.basename(file)).toBe('a red apple.png');
    expect(readRecipe(readFileSync(file))).toEqual({ caption, recipe });
  });

  test('is itself again when it is dropped back, and no second picture', async () => {
    const { main, drawing, drag, add } = await open();
    const bytes = readFileSync(await drag(drawing));
    expect(await add(bytes, 'a red apple.png')).toEqual(drawing);
    const other = await add(paint('other', 8), 'other.png');
    expect(other.id).not.toBe(drawing.id);
    expect(main.services.store.pictures.find(other.id)).toMatchObject({ name: 'other.png' });
  });

  test('dropped in another app it brings its caption and recipe with it', async () => {
    const { api, drawing } = await open();
    const saved = await api.request('pictures.save', { pictureId: drawing.id });
    expect(path.basename(saved!.path)).toBe('a red apple.png');
    const elsewhere = await open();
    const found = await elsewhere.add(readFileSync(saved!.path), 'a red apple.png');
    expect(found).toMatchObject({ origin: 'user', caption, recipe, name: 'a red apple.png' });
    // Saved again it says the same.
    const again = await elsewhere.api.request('pictures.save', { pictureId: found.id });
    expect(readRecipe(readFileSync(again!.path))).toEqual({ caption, recipe });
  });

  test('tells nothing of the machine: no path of it is in the file', async () => {
    const { drawing, drag, folder } = await open();
    const words = readFileSync(await drag(drawing)).toString('latin1');
    expect(words).not.toContain(folder);
    expect(words).not.toContain(path.sep + 'pictures');
  });

  test('leaves nothing behind: what was dragged out goes at the end, and at the next start', async () => {
    const { main, drawing, drag, folder } = await open();
    const outgoing = path.join(folder, 'outgoing');
    await drag(drawing);
    expect(readdirSync(outgoing)).toHaveLength(1);
    await main.services.outgoing.clear();
    expect(existsSync(outgoing)).toBe(false);
    mkdirSync(outgoing);
    writeFileSync(path.join(outgoing, 'left by a crash.png'), 'x');
    await main.prepare();
    expect(existsSync(outgoing)).toBe(false);
  });
});

describe('a picture that a person brings', () => {
  test('goes out byte by byte as it came, under its name', async () => {
    const { add, drag } = await open();
    const bytes = await sharp(paint('x', 1)).jpeg().toBuffer();
    const file = await drag(await add(bytes, 'Summer 2026.jpeg'));
    expect(path.basename(file)).toBe('Summer 2026.jpg');
    expect(readFileSync(file).equals(bytes)).toBe(true);
  });

  test('has words for who cannot see it, and a star, which every view hears of', async () => {
    const { api, add, main } = await open();
    const { id } = await add(paint('x', 1), 'cat.png');
    const heard: Picture[] = [];
    api.on('pictures.changed', ({ picture }) => heard.push(picture));
    const change = { alt: '  my cat, asleep ', favourite: true };
    const changed = await api.request('pictures.change', { pictureId: id, change });
    expect(changed).toMatchObject({ alt: 'my cat, asleep', favourite: true, name: 'cat.png' });
    expect(main.services.store.pictures.find(id)).toEqual(changed);
    await api.request('pictures.change', { pictureId: id, change: { alt: '' } });
    const after = main.services.store.pictures.find(id);
    expect(after).toMatchObject({ favourite: true, name: 'cat.png' });
    expect(after?.alt).toBeUndefined();
    await expect.poll(() => heard.length).toBe(2);
  });
});
