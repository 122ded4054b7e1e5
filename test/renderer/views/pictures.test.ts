import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, describe, it, vi } from 'vitest';
import { readRecipe } from '../../../src/main/pictures/png-recipe.ts';
import { testIds } from '../../../src/renderer/test-ids.ts';
import {
  all,
  find,
  get,
  openWindow,
  press,
  until,
  type OpenWindow,
} from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

/** A window with a reply that drew a cat, and its picture. */
async function drawn(): Promise<OpenWindow & { readonly reply: HTMLElement }> {
  const made = await openWindow();
  const reply = await made.talk('Can you draw a cat?');
  await until(() => get(testIds.picture, reply));
  return { ...made, reply };
}

async function openLarge(): Promise<HTMLElement> {
  const button = all(testIds.openPicture).at(-1)!;
  button.focus();
  button.click();
  return until(() => get(testIds.lightbox));
}

describe('a picture that is looked at large', () => {
  it('is a dialog with its recipe that keeps the focus, and gives it back', async () => {
    await drawn();
    const opener = all(testIds.openPicture).at(-1)!;
    const lightbox = await openLarge();
    expect(lightbox.getAttribute('role')).toBe('dialog');
    expect(get(testIds.lightboxCaption).textContent).toContain('a cat');
    const words = lightbox.textContent;
    for (const name of ['Seed', 'Steps', 'Guidance', 'Model', '128 × 128 px']) {
      expect(words).toContain(name);
    }
    await until(() => expect(lightbox.contains(document.activeElement)).toBe(true));
    press('Escape');
    await until(() => expect(find(testIds.lightbox)).toBeNull());
    await until(() => expect(document.activeElement).toBe(opener));
  });

  it('zooms by keys, and Escape there stops no reply', async () => {
    const { studio } = await drawn();
    const lightbox = await openLarge();
    await until(() => expect(lightbox.contains(document.activeElement)).toBe(true));
    const zoom = (): number => Number(get(testIds.lightboxStage).dataset['zoom']);
    press('+');
    press('+');
    await until(() => expect(zoom()).toBeGreaterThan(1.5));
    press('0');
    await until(() => expect(zoom()).toBe(1));
    press('Escape');
    await until(() => expect(find(testIds.lightbox)).toBeNull());
    expect(studio.chat.turns.at(-1)?.status).toBe('complete');
  });

  it('compares versions side by side', async () => {
    const { studio, reply } = await drawn();
    get(testIds.drawAgain, reply).click();
    await until(() => expect(studio.chat.versions.drawings[0]?.count).toBe(2));
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
    await openLarge();
    await until(() => get(testIds.lightboxCompare));
    get(testIds.lightboxCompare).click();
    const other = await until(() => get(testIds.lightboxOther).querySelector('img'));
    expect(other?.src).not.toBe(get(testIds.lightboxStage).querySelector('img')?.src);
    get(testIds.lightboxVersions).querySelector('button')?.click();
    await until(() => expect(studio.chat.versions.drawings[0]?.current).toBe(0));
  });

  it('has words for who cannot see it, which every view then says', async () => {
    await drawn();
    await openLarge();
    const field = get(testIds.altText) as HTMLTextAreaElement;
    field.value = 'a small tabby cat, sitting';
    field.dispatchEvent(new Event('change', { bubbles: true }));
    await until(() =>
      expect(get(testIds.picture).querySelector('img')?.alt).toBe('a small tabby cat, sitting'),
    );
  });

  it('goes into the message that is written, and is saved with its recipe', async () => {
    const { studio, folder } = await drawn();
    await openLarge();
    get(testIds.lightboxSave).click();
    await until(() => expect(get(testIds.savedNotice).textContent).toContain('.png'));
    const saved = readdirSync(folder).find((name) => name.endsWith('.png'))!;
    expect(readRecipe(readFileSync(path.join(folder, saved)))?.caption).toContain('a cat');
    get(testIds.lightboxPut).click();
    await until(() => expect(all(testIds.composerPicture)).toHaveLength(1));
    expect(find(testIds.lightbox)).toBeNull();
    const key = studio.chat.conversationId ?? '';
    expect(studio.drafts.get(key)).toMatchObject([{ kind: 'picture' }]);
  });
});

describe('the drawing bench', () => {
  async function openBench(): Promise<Awaited<ReturnType<typeof drawn>>> {
    const made = await drawn();
    get(testIds.openBench, made.reply).click();
    await until(() => get(testIds.bench));
    return made;
  }
  const states = (): (string | undefined)[] =>
    all(testIds.benchDrawing).map(({ dataset }) => dataset['state']);

  it('draws four, and the chosen one becomes a version in the reply', async () => {
    const { studio } = await openBench();
    expect((get(testIds.benchCaption) as HTMLTextAreaElement).value).toContain('a cat');
    get(testIds.benchDraw).click();
    await until(() => expect(states()).toEqual(['done', 'done', 'done', 'done']));
    const ids = new Set(all(testIds.benchDrawing).map(({ dataset }) => dataset['pictureId']));
    expect(ids.size).toBe(4);
    const third = all(testIds.benchDrawing)[2]!;
    get(testIds.benchUse, third).click();
    await until(() => expect(get(testIds.benchUse, third).textContent).toBe('In the reply'));
    expect(studio.chat.versions.drawings).toMatchObject([{ count: 2, current: 1 }]);
    const shown = get(testIds.picture).dataset['pictureId'];
    expect(shown).toBe(third.dataset['pictureId']);
    // Another is kept beside it.
    const first = all(testIds.benchDrawing)[0]!;
    get(testIds.benchKeep, first).click();
    await until(() =>
      expect(get(testIds.benchKeep, first).getAttribute('aria-pressed')).toBe('true'),
    );
    expect(studio.chat.versions.drawings).toMatchObject([{ count: 3, current: 1 }]);
  });

  it('cancels what is being drawn and what waits', async () => {
    const { workers } = await openBench();
    workers.script.pace = 1;
    get(testIds.benchDraw).click();
    await until(() => expect(states()).toContain('drawing'));
    get(testIds.benchCancelAll).click();
    await until(() => expect(states()).toEqual(Array.from({ length: 4 }, () => 'cancelled')));
    workers.script.pace = 0.02;
  });

  it('is as it was left when it is opened again', async () => {
    const { reply } = await openBench();
    get(testIds.benchDraw).click();
    await until(() => expect(states()).toEqual(['done', 'done', 'done', 'done']));
    get(testIds.benchClose).click();
    await until(() => expect(find(testIds.bench)).toBeNull());
    get(testIds.openBench, reply).click();
    await until(() => expect(states()).toEqual(['done', 'done', 'done', 'done']));
  });
});

describe('the gallery', () => {
  it('says what to do where there is nothing', async () => {
    await openWindow();
    get(testIds.railGallery).click();
    await until(() => expect(get(testIds.galleryView).textContent).toContain('no pictures yet'));
  });

  it('finds a picture and leads to its place, in a version that was not shown', async () => {
    const { studio, talk } = await openWindow();
    await talk('Can you draw a cat?');
    const cat = studio.chat.conversationId;
    await studio.chat.regenerate(studio.chat.turns.at(-1)!.id);
    await until(() => expect(studio.chat.versions.turns[0]).toHaveLength(2));
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
    studio.chat.startNew();
    await talk('Can you draw a blue boat?');
    get(testIds.railGallery).click();
    await until(() => expect(all(testIds.galleryItem)).toHaveLength(3));
    studio.gallery.search('CAT');
    await until(() => expect(get(testIds.galleryCount).textContent).toContain('2 pictures'));
    await until(() => expect(all(testIds.galleryItem)).toHaveLength(2));
    // The older of the two: its reply is not the current version.
    const older = all(testIds.galleryItem)[1]!;
    const { pictureId } = older.dataset;
    older.click();
    await until(() => get(testIds.goToPlace));
    get(testIds.goToPlace).click();
    await until(() => expect(studio.chat.conversationId).toBe(cat));
    await until(() => expect(get(testIds.picture).dataset['pictureId']).toBe(pictureId));
    expect(studio.shell.place).toBe('chat');
  });

  it('is gone through by keys, with one stop for Tab', async () => {
    const { talk } = await openWindow();
    await talk('Can you draw a cat?');
    await talk('Can you draw a dog?');
    get(testIds.railGallery).click();
    await until(() => expect(all(testIds.galleryItem)).toHaveLength(2));
    const [first, second] = all(testIds.galleryItem);
    expect([first?.tabIndex, second?.tabIndex]).toEqual([0, -1]);
    first!.focus();
    press('End');
    await until(() => expect(document.activeElement).toBe(second));
    expect([first?.tabIndex, second?.tabIndex]).toEqual([-1, 0]);
    press('Home');
    await until(() => expect(document.activeElement).toBe(first));
  });

  it('shows favourites alone', async () => {
    const { studio, talk } = await openWindow();
    await talk('Can you draw a cat?');
    await talk('Can you draw a dog?');
    const part = studio.chat.turns.at(-1)!.parts.find(({ kind }) => kind === 'picture');
    if (part?.kind !== 'picture') throw new Error('nothing was drawn');
    await studio.pictures.change(part.picture, { favourite: true });
    get(testIds.railGallery).click();
    await until(() => expect(all(testIds.galleryItem)).toHaveLength(2));
    studio.gallery.show('favourites');
    await until(() => expect(all(testIds.galleryItem)).toHaveLength(1));
    expect(get(testIds.galleryItem).dataset['pictureId']).toBe(part.picture.id);
  });
});
