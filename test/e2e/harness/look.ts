// Screens for people to look at, in light and in dark.
import { screenshot } from './window.ts';

/** Saves what the window shows in light and in dark; nothing is changed where no folder for them is named. */
export async function bothThemes(name: string): Promise<void> {
  if (process.env['TEXTBIND_E2E_SCREENSHOTS'] === undefined) return;
  const before = await browser.execute(() => document.documentElement.dataset['theme'] ?? '');
  for (const theme of ['light', 'dark'] as const) {
    await browser.execute(
      (wanted) => void (document.documentElement.dataset['theme'] = wanted),
      theme,
    );
    // Colours change by a short transition; what runs for ever (a caret) is not waited for.
    await browser.execute(async () => {
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const ending = document
        .getAnimations()
        .filter((each) => each.effect?.getComputedTiming().iterations !== Infinity);
      await Promise.allSettled(ending.map(({ finished }) => finished));
    });
    await screenshot(`${name}-${theme}`);
  }
  await browser.execute(
    (wanted) => void (document.documentElement.dataset['theme'] = wanted),
    before,
  );
}

/** An element's place in the window, pixels. */
export interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

/** Where the first element that a selector finds stands. */
export const boxOf = (at: string): Promise<Box> =>
  browser.execute((place: string) => {
    const { left, right, top, bottom } = document.querySelector(place)!.getBoundingClientRect();
    return { left, right, top, bottom };
  }, at);
