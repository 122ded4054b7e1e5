// A long conversation as it is scrolled: all of it comes into sight, what is being read stays where it is when turns are
// made or given up, and no more of them are kept than made.ts says.
import { testIds } from '../../src/renderer/test-ids.ts';
import { mostMade } from '../../src/renderer/views/chat/made.ts';
import { addConversation, openTitled, saidTurn, showFilled, write } from './harness/stored.ts';
import { byId, selector, turns } from './harness/window.ts';

const count = 300;
const title = 'Three hundred turns';
/** As fast as a wheel that is turned hard, as in bench/sections/scroll.ts: 3,600 px a second at 60 frames. */
const pixelsAFrame = 60;
/** Places are rounded to pixels of the screen, by the browser's own anchoring too. */
const tolerancePx = 2;
/**
 * A turn far from sight is 140 px by estimate. Where its true height comes in the frame in which turns are made, the
 * browser's anchoring can miss it: one frame in a thousand on a machine with a load of 13 and more, by 37 px (bench/RESULTS.md).
 */
const missed = { frames: 2, px: 140 };

/** Of many heights, from a line to a dozen, so that one that was estimated is seen to have been. */
const words = (index: number): string =>
  `Turn ${index}. ${'One thing leads to another, and so the story goes on. '.repeat(1 + ((index * 5) % 13))}${
    index % 4 === 1 ? '\n\n- the light\n- the *edges*\n- the ground' : ''
  }`;

interface Walk {
  /** Numbers of the turns that were in sight, in the order in which they came. */
  readonly seen: readonly number[];
  /** Of each frame in which what was being read moved otherwise than it was scrolled, how far, px. */
  readonly moved: readonly number[];
  readonly most: number;
}

/** Scrolls by a little each frame until nothing more comes. */
const walk = async (pixels: number): Promise<Walk> =>
  browser.execute(
    async (list: string, turn: string, step: number, tolerance: number) => {
      const scroller = document.querySelector(list)!;
      const seen: number[] = [];
      const moved: number[] = [];
      let [most, still] = [0, 0];
      const made = (): Element[] => [...scroller.querySelectorAll(turn)];
      const frame = (): Promise<number> => new Promise(requestAnimationFrame);
      /** What stands in the middle of the window. */
      const read = (all: readonly Element[]): Element => {
        const { top, height } = scroller.getBoundingClientRect();
        const middle = top + height / 2;
        return all.find((each) => each.getBoundingClientRect().bottom >= middle) ?? all.at(-1)!;
      };
      const note = (all: readonly Element[]): void => {
        const { top, bottom } = scroller.getBoundingClientRect();
        const here = all.filter((each) => {
          const box = each.getBoundingClientRect();
          return box.bottom > top && box.top < bottom;
        });
        const numbers = here.map((each) => Number(/Turn (\d+)/.exec(each.textContent)?.[1]));
        for (const number of step < 0 ? numbers.reverse() : numbers)
          if (!seen.includes(number)) seen.push(number);
      };
      // A busy machine is given time to make more: the end is where none came for long.
      while (still < 90) {
        const all = made();
        note(all);
        most = Math.max(most, all.length);
        const anchor = read(all);
        const before = anchor.getBoundingClientRect().top;
        const room =
          step < 0
            ? scroller.scrollTop
            : scroller.scrollHeight - scroller.clientHeight - scroller.scrollTop;
        const by = Math.sign(step) * Math.min(Math.abs(step), room);
        scroller.scrollTop += by;
        await frame();
        still = Math.abs(by) < 1 ? still + 1 : 0;
        const off = anchor.getBoundingClientRect().top - (before - by);
        if (Math.abs(off) > tolerance) moved.push(off);
      }
      return { seen, moved, most };
    },
    selector(testIds.conversation),
    selector(testIds.turn),
    pixels,
    tolerancePx,
  );

/** What was being read stayed where it was, but for what {@link missed} says. */
function expectKept(moved: readonly number[]): void {
  expect(moved.filter((px) => Math.abs(px) > missed.px)).toEqual([]);
  expect(moved.slice(missed.frames)).toEqual([]);
}

/** How many turns are made now. */
const made = async (): Promise<number> => (await turns()).length;

const place = (): Promise<{ top: number; below: number }> =>
  browser.execute((list: string) => {
    const { scrollTop, scrollHeight, clientHeight } = document.querySelector(list)!;
    return { top: scrollTop, below: scrollHeight - clientHeight - scrollTop };
  }, selector(testIds.conversation));

async function press(key: 'Home' | 'End'): Promise<void> {
  await browser.execute((list: string) => {
    document.querySelector<HTMLElement>(list)!.focus();
  }, selector(testIds.conversation));
  await browser.keys([key]);
}

describe(`a conversation of ${count} turns`, () => {
  const numbers = Array.from({ length: count }, (_, index) => index);
  before(async () => {
    await showFilled(() => {
      const all = numbers.map((index) => saidTurn(words(index), index));
      write((store) => addConversation(store, title, all));
    });
    // A busy machine draws fewer frames a second; WebDriver gives a script 30 s otherwise.
    await browser.setTimeout({ script: 240_000 });
    await openTitled(title);
    await byId(testIds.turn).waitForDisplayed();
  });

  it('is scrolled from its end to its first turn, and what is being read stays where it is', async () => {
    await browser.waitUntil(async () => (await place()).below < 1);
    const { seen, moved, most } = await walk(-pixelsAFrame);
    expect(seen).toEqual([...numbers].reverse());
    expectKept(moved);
    expect(most).toBeLessThanOrEqual(mostMade);
    expect((await place()).top).toBe(0);
  });

  it('is scrolled back to its end', async () => {
    const { seen, moved, most } = await walk(pixelsAFrame);
    expect(seen).toEqual(numbers);
    expectKept(moved);
    expect(most).toBeLessThanOrEqual(mostMade);
    expect((await place()).below).toBeLessThan(1);
  });

  it('is gone to its ends by Home and End', async () => {
    await press('Home');
    await browser.waitUntil(async () => (await place()).top === 0);
    expect((await turns())[0]?.text).toContain('Turn 0.');
    expect(await made()).toBeLessThanOrEqual(mostMade);
    await press('End');
    await browser.waitUntil(async () =>
      (await turns()).at(-1)?.text.startsWith(`Turn ${count - 1}.`),
    );
    await browser.waitUntil(async () => (await place()).below < 1);
    expect(await made()).toBeLessThanOrEqual(mostMade);
  });
});
