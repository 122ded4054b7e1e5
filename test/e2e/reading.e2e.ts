// What is read, as it is laid out: right to left, tables, formulas, headings, notes, code; and pictures of every form with
// their tools. The replies stand in the database before the window looks, so that they are the same each time.
import { testIds } from '../../src/renderer/test-ids.ts';
import {
  addConversation,
  addDrawing,
  openTitled,
  saidTurn,
  showFilled,
  write,
} from './harness/stored.ts';
import { byId, dropFiles, selector, pressSend, settled, type } from './harness/window.ts';
import { bothThemes } from './harness/look.ts';
import { scene } from './harness/scenes.ts';

const hebrew = [
  'הים רחב וכחול, והגלים שרים בו שיר ישן.',
  '- תפוח אדום\n- ציפור צהובה',
  '| צבע | כמה |\n| --- | ---: |\n| כחול | 12 |\n| ירוק | 3 |',
  '> מי שמסתכל רואה.',
  'And a line of English stays where it was.',
].join('\n\n');

const markdown = [
  '# One',
  '## Two',
  '### Three',
  '#### Four',
  '##### Five',
  '###### Six',
  'The area \\(A = \\pi r^2\\)[^paint], and\n\\[\nI(d) = \\frac{P}{4 \\pi d^2}\n\\]',
  '| Colour | Mixed from | Parts | Remarks | Afterthoughts | Counterexamples |\n| --- | :---: | ---: | --- | --- | --- |\n| Ultramarineandcobaltblue | incomprehensibilities, yellow | 1.5 | counterrevolutionaries | electroencephalographers | internationalisations |\n| Orange | red, yellow | 12 | none | none | none |',
  '```ts\n// Forty steps.\nconst apple = draw("a red apple", { steps: 40 });\n```',
  '[^paint]: As every book on painting says.',
].join('\n\n');

const sizes = [
  [24, 24],
  [96, 640],
  [640, 64],
  [128, 128],
] as const;

function fill(): void {
  write((store) => {
    addConversation(store, 'מן הים', [saidTurn('ספר לי על הים, בבקשה', 0), saidTurn(hebrew, 1)]);
    addConversation(store, 'All of markdown', [saidTurn('Show me all', 0), saidTurn(markdown, 1)]);
    const drawings = sizes.map(([width, height]) => addDrawing(store, width, height));
    addConversation(store, 'Forms of pictures', [
      saidTurn('Draw them', 0),
      saidTurn(
        drawings.map((picture) => ({ kind: 'picture' as const, picture })),
        1,
      ),
    ]);
  });
}

/** How a page lays out the writing of an element: whether its words hug the right edge of what they stand in. */
const sides = (at: string): Promise<{ direction: string; left: number; right: number }[]> =>
  browser.execute(
    (place: string) =>
      [...document.querySelectorAll<HTMLElement>(place)].map((element) => {
        const walker = document.createTreeWalker(element, NodeFilter.SHOW_TEXT);
        const words: DOMRect[] = [];
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          const range = document.createRange();
          range.selectNodeContents(node);
          words.push(...range.getClientRects());
        }
        const box = element.getBoundingClientRect();
        return {
          direction: getComputedStyle(element).direction,
          left: Math.min(...words.map(({ left }) => left)) - box.left,
          right: box.right - Math.max(...words.map(({ right }) => right)),
        };
      }),
    at,
  );

/** Fonts for formulas that the page knows of: they come with what shows formulas. */
const formulaFonts = (): Promise<number> =>
  browser.execute(() => [...document.fonts].filter(({ family }) => /KaTeX/.test(family)).length);

before(() => showFilled(fill));

describe('writing from right to left', () => {
  const reply = `${selector(testIds.turn)}[data-role="assistant"] .markdown`;
  before(() => openTitled('מן הים'));

  it('is laid out so in messages, replies, lists, tables and quotes; a line of English is not', async () => {
    const [message] = await sides(`${selector(testIds.turn)}[data-role="user"] .written`);
    expect(message).toMatchObject({ direction: 'rtl' });
    expect(message!.left).toBeGreaterThan(message!.right + 100);
    const [first, , last] = await sides(`${reply} > p, ${reply} > blockquote`);
    expect(first).toMatchObject({ direction: 'rtl' });
    expect(first!.left).toBeGreaterThan(first!.right + 100);
    expect(last).toMatchObject({ direction: 'ltr' });
    expect(last!.right).toBeGreaterThan(last!.left + 100);
    const [list] = await sides(`${reply} ul`);
    expect(list).toMatchObject({ direction: 'rtl' });
    expect(list!.left).toBeGreaterThan(list!.right + 100);
    const quote = await browser.execute((at: string) => {
      const style = getComputedStyle(document.querySelector(`${at} blockquote`)!);
      return [style.borderLeftWidth, style.borderRightWidth];
    }, reply);
    expect(quote[0]).toBe('0px');
    expect(quote[1]).not.toBe('0px');
    const [colour, amount] = await browser.execute(
      (at: string) =>
        [...document.querySelectorAll(`${at} th`)].map((cell) => cell.getBoundingClientRect().left),
      reply,
    );
    expect(colour).toBeGreaterThan(amount!);
    await bothThemes('right-to-left');
  });

  it('is written so in the message, and titles in the list and the header follow it', async () => {
    await byId(testIds.composerInput).click();
    await byId(testIds.composerInput).addValue('שלום');
    const [line] = await sides(`${selector(testIds.composerInput)} p`);
    expect(line).toMatchObject({ direction: 'rtl' });
    expect(line!.left).toBeGreaterThan(line!.right + 100);
    for (const place of [
      `${selector(testIds.conversationItem)}[aria-current="page"] .name`,
      selector(testIds.conversationTitle),
    ]) {
      const [title] = await sides(place);
      expect(title).toMatchObject({ direction: 'rtl' });
    }
    await browser.keys(['Control', 'a']);
    await browser.keys(['Backspace']);
  });
});

describe('markdown', () => {
  const reply = `${selector(testIds.turn)}[data-role="assistant"] .markdown`;

  it('loads what shows formulas only when there are some', async () => {
    expect(await formulaFonts()).toBe(0);
    await openTitled('All of markdown');
    await $(`${reply} .katex`).waitForExist();
    await $(`${reply} .code-keyword`).waitForExist();
    expect(await formulaFonts()).toBeGreaterThan(0);
    await bothThemes('markdown');
  });

  it('breaks no word in a table, keeps to its columns, and lets it scroll', async () => {
    const table = await browser.execute((at: string) => {
      const broken: string[] = [];
      for (const cell of document.querySelectorAll(`${at} :is(td, th)`)) {
        const walker = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT);
        for (let node = walker.nextNode(); node !== null; node = walker.nextNode()) {
          for (const found of (node.nodeValue ?? '').matchAll(/\w+/g)) {
            const range = document.createRange();
            range.setStart(node, found.index);
            range.setEnd(node, found.index + found[0].length);
            const tops = [...range.getClientRects()].map(({ top }) => Math.round(top));
            if (new Set(tops).size > 1) broken.push(found[0]);
          }
        }
      }
      const scroller = document.querySelector(`${at} .table`)!;
      const alignments = [...document.querySelectorAll(`${at} tbody tr:first-child td`)].map(
        (cell) => getComputedStyle(cell).textAlign,
      );
      return {
        broken,
        alignments,
        scrolls: scroller.scrollWidth > scroller.clientWidth,
        page: document.body.scrollWidth - innerWidth,
      };
    }, reply);
    expect(table.broken).toEqual([]);
    expect(table.alignments.slice(0, 3)).toEqual(['start', 'center', 'right']);
    expect(table.scrolls).toBe(true);
    expect(table.page).toBeLessThanOrEqual(0);
  });

  it('shows TeX as formulas, none of its source', async () => {
    const formulas = await browser.execute(
      (at: string) =>
        [...document.querySelectorAll(`${at} .katex-html`)].map((formula) => ({
          words: (formula as HTMLElement).innerText,
          height: formula.getBoundingClientRect().height,
          font: document.fonts.check('16px KaTeX_Main'),
        })),
      reply,
    );
    expect(formulas).toHaveLength(2);
    for (const { words, height, font } of formulas) {
      expect(words).not.toContain('\\');
      expect(height).toBeGreaterThan(10);
      expect(font).toBe(true);
    }
    expect(await $(reply).getText()).not.toMatch(/\\\(|\\\[|\\frac/);
  });

  it('tells all six headings apart', async () => {
    const looks = await browser.execute(
      (at: string) =>
        [...document.querySelectorAll(`${at} .heading`)].map((heading) => {
          const { fontSize, fontWeight, color } = getComputedStyle(heading);
          return { size: parseFloat(fontSize), all: `${fontSize} ${fontWeight} ${color}` };
        }),
      reply,
    );
    expect(looks).toHaveLength(6);
    expect(new Set(looks.map(({ all }) => all)).size).toBe(6);
    for (const [index, { size }] of looks.slice(1).entries())
      expect(size).toBeLessThan(looks[index]!.size);
  });

  it('leads to a footnote and back', async () => {
    expect(await $(reply).getText()).not.toContain('[^');
    await $(`${reply} .mark`).click();
    const focused = (): Promise<string> =>
      browser.execute(() => (document.activeElement as HTMLElement).innerText);
    expect(await focused()).toContain('every book on painting');
    await $(`${reply} .back`).click();
    expect(await focused()).toBe('1');
  });

  it('names the language of code, colours it, and copies it', async () => {
    expect(await $(`${reply} .language`).getText()).toBe('ts');
    const colours = await browser.execute(
      (at: string) =>
        new Set(
          [...document.querySelectorAll(`${at} pre span`)].map(
            (piece) => getComputedStyle(piece).color,
          ),
        ).size,
      reply,
    );
    expect(colours).toBeGreaterThanOrEqual(3);
    await $(`${reply} .block .head button`).click();
    await expect($(`${reply} .block .head button`)).toHaveText('Copied');
    await byId(testIds.composerInput).click();
    await browser.keys(['Control', 'v']);
    const line = 'const apple = draw("a red apple", { steps: 40 });';
    await browser.waitUntil(async () =>
      (await byId(testIds.composerInput).getText()).includes(line),
    );
    await browser.keys(['Control', 'a']);
    await browser.keys(['Backspace']);
  });
});

describe('pictures', () => {
  it('of every form have their tools whole, in the window and over nothing', async () => {
    await openTitled('Forms of pictures');
    await byId(testIds.drawAgain).waitForExist();
    for (let index = 0; index < sizes.length; index += 1) {
      const figure = `${selector(testIds.picture)}[data-part-index="${index}"]`;
      await $(figure).scrollIntoView({ block: 'center' });
      await $(figure).moveTo();
      const cut = await browser.execute((at: string) => {
        const list = document
          .querySelector('[data-testid="conversation"]')!
          .getBoundingClientRect();
        return [...document.querySelectorAll(`${at} [role="toolbar"] button`)].flatMap((button) => {
          const box = button.getBoundingClientRect();
          const there = document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2);
          const isWhole =
            box.left >= list.left && box.right <= list.right && button.contains(there);
          return isWhole ? [] : [`${button.getAttribute('aria-label')}`];
        });
      }, figure);
      expect({ size: sizes[index], cut }).toEqual({ size: sizes[index], cut: [] });
    }
    await bothThemes('forms-of-pictures');
  });

  it('of a sent message stand in its line, in their order', async () => {
    await byId(testIds.newConversation).click();
    await type('Compare ');
    await dropFiles(scene(0).file);
    await byId(testIds.composerPicture).waitForDisplayed();
    await browser.keys([...' with ']);
    await dropFiles(scene(1).file);
    await browser.waitUntil(async () => (await $$(selector(testIds.composerPicture)).length) === 2);
    await browser.keys([...' please']);
    await pressSend();
    await settled(2);
    const line = await browser.execute(() => {
      const written = document.querySelector('.written')!;
      return [...written.children].map((part) => {
        const { top, bottom, left } = part.getBoundingClientRect();
        return { words: part.textContent.trim(), middle: (top + bottom) / 2, left };
      });
    });
    expect(line.map(({ words }) => words)).toEqual(['Compare', '', 'with', '', 'please']);
    for (const [index, { middle, left }] of line.slice(1).entries()) {
      expect(Math.abs(middle - line[0]!.middle)).toBeLessThan(12);
      expect(left).toBeGreaterThan(line[index]!.left);
    }
    await bothThemes('sent-message');
  });
});
