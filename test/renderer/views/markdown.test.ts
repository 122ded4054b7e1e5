import { cleanup, render } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Markdown from '../../../src/renderer/views/chat/markdown/Markdown.svelte';
import { readMarkdown } from '../../../src/renderer/views/chat/markdown/reader.ts';
import { safeLink } from '../../../src/renderer/views/chat/markdown/tree.ts';

// KaTeX asks for it, and this page has none.
Object.defineProperty(document, 'compatMode', { value: 'CSS1Compat' });
afterEach(cleanup);

function show(source: string): {
  readonly page: HTMLElement;
  readonly onlink: ReturnType<typeof vi.fn>;
} {
  const onlink = vi.fn();
  return { page: render(Markdown, { source, onlink }).container, onlink };
}

const harmless =
  /^(div|p|strong|em|del|code|pre|br|hr|a|ul|ol|li|span|blockquote|table|thead|tbody|tr|th|td)$/;

const hostile: readonly (readonly [name: string, source: string])[] = [
  ['a script', '<script>alert(1)</script>'],
  ['a script inside words', 'Hello <script src="https://example.org/x.js"></script> you'],
  ['an event handler', '<img src=x onerror="alert(1)">'],
  ['a handler in a block', '<div onmouseover="alert(1)">\n\n**x**\n\n</div>'],
  ['SVG', '<svg onload="alert(1)"><animate onbegin="alert(1)"/></svg>'],
  ['a style sheet', '<style>body{display:none}</style>'],
  ['a style attribute', '<p style="position:fixed;inset:0">x</p>'],
  ['a frame', '<iframe srcdoc="<script>alert(1)</script>"></iframe>'],
  ['a form', '<form action="https://example.org"><input name="q"><button>Go</button></form>'],
  ['a base', '<base href="https://example.org/">'],
  ['a refresh', '<meta http-equiv="refresh" content="0;url=https://example.org">'],
  ['MathML', '<math><mtext><script>alert(1)</script></mtext></math>'],
  ['a comment that breaks out', '<!--><img src=x onerror=alert(1)>-->'],
  ['a script link', '[x](javascript:alert(1))'],
  ['a script link with case and space', '[x](  JaVaScRiPt:alert(1))'],
  ['a script link with a tab entity', '[x](java&Tab;script:alert(1))'],
  ['a script link by entity', '[x](&#106;avascript:alert(1))'],
  ['a script link by reference', '[x][y]\n\n[y]: javascript:alert(1)'],
  ['a script autolink', '<javascript:alert(1)>'],
  ['a data link', '[x](data:text/html,<script>alert(1)</script>)'],
  ['a file link', '[x](file:///etc/passwd)'],
  ['a picture from elsewhere', '![x](https://example.org/track.png)'],
  ['a picture that is data', '![x](data:image/svg+xml;base64,PHN2Zy8+)'],
  ['a picture with a handler', '![x" onerror="alert(1)](https://example.org/a.png)'],
  ['a link title that breaks out', '[x](https://example.org "a\\" onclick=\\"alert(1)")'],
  ['a language that breaks out', '```"><img src=x onerror=alert(1)>\ncode\n```'],
  ['a heading id', '# <a name="x" onclick="alert(1)">Title</a>'],
  ['a table', '| <img src=x onerror=alert(1)> | b |\n| --- | --- |\n| <script>1</script> | c |'],
  ['a list', '- <img src=x onerror=alert(1)>\n  - <script>1</script>'],
  ['a null byte', '<scr\u0000ipt>alert(1)</scr\u0000ipt>'],
];

describe('hostile markdown', () => {
  it.each(hostile)('makes no element of %s', (_name, source) => {
    const { page } = show(source);
    for (const element of page.querySelectorAll('*')) {
      // The button that copies code is ours.
      if (element.closest('.head') !== null) continue;
      expect(element.tagName.toLowerCase()).toMatch(harmless);
      for (const { name } of element.attributes) {
        expect(name).toMatch(
          /^(class|href|title|rel|tabindex|aria-[a-z]+|role|start|this|dir|scope)$/,
        );
      }
    }
    for (const link of page.querySelectorAll('a')) {
      expect(link.getAttribute('href')).toMatch(/^https?:\/\//);
    }
    // Nothing is swallowed: what looks like HTML is there to be read.
    if (source.includes('<script')) expect(page.textContent).toContain('script');
  });

  it.each([
    ['much text', 'word '.repeat(60_000)],
    ['many brackets', '['.repeat(20_000)],
    ['many quotes', '> '.repeat(5000) + 'x'],
    [
      'deep lists',
      Array.from({ length: 200 }, (_, depth) => `${' '.repeat(depth * 2)}- x`).join('\n'),
    ],
    ['many stars', '*a **b '.repeat(3000)],
    ['many backticks', '`'.repeat(30_000)],
    // Each of these took from one second to half a minute of an idle processor.
    ['60,000 nested marks', '*a '.repeat(10_000) + 'a* '.repeat(10_000)],
    ['60,000 marks of two kinds', '***a**b*'.repeat(7500)],
    ['60,000 letters that may be an address', 'a.'.repeat(30_000) + '@'],
    ['60,000 spaces', `a${' '.repeat(60_000)}b`],
    ['30,000 nested lists', '- '.repeat(30_000)],
    ['15,000 nested quotes and lists', '> - '.repeat(15_000)],
    ['20,000 nested numbers', '1. '.repeat(20_000)],
    ['30,000 words without an end', '\\(a '.repeat(15_000)],
    ['formulas in a formula', '$'.repeat(60_000)],
    ['an unending formula', `$$${'{'.repeat(60_000)}`],
    ['25,000 formulas', '$a$ '.repeat(25_000)],
    ['notes of notes', '[^a]: [^a] '.repeat(6000)],
  ])('reads %s without falling over', (_name, source) => {
    const { blocks, notes } = readMarkdown(source);
    expect(blocks.length + notes.length).toBeGreaterThan(0);
  });
});

describe('markdown', () => {
  it('shows what it is for', () => {
    const { page } = show(
      [
        '# Title',
        'A **strong** *word*, ~~gone~~, `code` &amp; 1 < 2.',
        '3. three\n4. four',
        '- [x] done\n- [ ] open',
        '> said',
        '```ts\nconst a = "<b>";\n```',
        '| A | B |\n| --- | --- |\n| 1 | 2 |',
      ].join('\n\n'),
    );
    expect(page.querySelector('[role=heading]')?.textContent).toContain('Title');
    expect(page.querySelector('strong')?.textContent).toBe('strong');
    expect(page.textContent).toContain('code & 1 < 2.');
    expect(page.querySelector('ol')?.getAttribute('start')).toBe('3');
    expect(page.querySelector('pre code')?.textContent).toBe('const a = "<b>";');
    expect(page.querySelectorAll('td')).toHaveLength(2);
    expect(page.querySelector('[aria-label=done]')).not.toBeNull();
  });

  it.each([
    '[https://\u202Emoc.live\u202C](https://evil.com/)',
    '[**https://\u202Emoc\u202C.live**](https://evil.com/)',
    '[\u2067`https://moc.live`\u2069](https://evil.com/)',
    '![https://\u202Dmoc.live](https://evil.com/)',
  ])('shows a link’s words in the order in which they are written: %s', (source) => {
    const link = show(source).page.querySelector('a')!;
    expect(link.textContent).toBe('https://moc.live');
    expect(link.title).toBe('https://evil.com/');
  });

  it('hands a link over instead of following it', () => {
    const { page, onlink } = show('[a page](https://example.org/a?b=1)');
    const link = page.querySelector('a')!;
    const event = new MouseEvent('click', { bubbles: true, cancelable: true });
    link.dispatchEvent(event);
    expect(event.defaultPrevented).toBe(true);
    expect(onlink).toHaveBeenCalledWith('https://example.org/a?b=1');
  });

  it('keeps the elements that stand while more streams in', async () => {
    const props = { growing: true, onlink: vi.fn() };
    const { container, rerender } = render(Markdown, { ...props, source: 'One.\n\nTw' });
    const first = container.querySelector('p');
    await rerender({ source: 'One.\n\nTwo and **three**' });
    await rerender({ source: 'One.\n\nTwo and **three**\n\nFour', growing: false });
    expect(container.querySelector('p')).toBe(first);
    expect(container.querySelector('strong')?.textContent).toBe('three');
  });

  it('makes as many elements as can be shown, and words of the rest', () => {
    const { page } = show('- **a** b\n'.repeat(8000));
    expect(page.querySelectorAll('*').length).toBeLessThan(12_000);
    expect(page.textContent?.match(/a/g)).toHaveLength(8000);
  });

  it('tells headings of each level apart, and leaves out none for a screen reader', () => {
    const { page } = show('## A\n\n#### B\n\n# C\n\n## D\n\n### E\n\n###### F');
    const headings = [...page.querySelectorAll('[role=heading]')];
    expect(headings.map(({ className }) => /level-\d/.exec(className)?.[0])).toEqual(
      [2, 4, 1, 2, 3, 6].map((level) => `level-${level}`),
    );
    expect(headings.map((each) => each.getAttribute('aria-level'))).toEqual([
      '3',
      '4',
      '3',
      '4',
      '5',
      '6',
    ]);
  });

  it('keeps to the alignment of a table’s columns', () => {
    const { page } = show('| A | B | C | D |\n| :-- | :-: | --: | --- |\n| 1 | 2 | 3 | 4 |');
    const classes = (selector: string): readonly string[] =>
      [...page.querySelectorAll(selector)].map(
        ({ className }) => className.match(/left|center|right/)?.[0] ?? '',
      );
    expect(classes('th')).toEqual(['left', 'center', 'right', '']);
    expect(classes('td')).toEqual(['left', 'center', 'right', '']);
  });

  it('lays out each block the way it is written', () => {
    const { page } = show(
      'Left.\n\nשלום עולם\n\n- אחת\n- two\n\n| א | B |\n| - | - |\n| 1 | 2 |\n\n> قال\n\n1. one',
    );
    // Of a paragraph the browser finds it itself; what holds others must be told.
    expect([...page.querySelectorAll('p')].map(({ dir }) => dir)).toEqual(['auto', 'auto', 'auto']);
    expect(page.querySelector('ul')?.dir).toBe('rtl');
    expect(page.querySelector<HTMLElement>('.table')?.dir).toBe('rtl');
    expect(page.querySelector('blockquote')?.getAttribute('dir')).toBe('rtl');
    expect(page.querySelector('ol')?.getAttribute('dir')).toBe('ltr');
  });
});

describe('formulas', () => {
  async function formulas(source: string): Promise<readonly string[]> {
    const { page } = show(source);
    await vi.waitFor(() => expect(page.querySelector('.katex')).not.toBeNull(), 15_000);
    return [...page.querySelectorAll('annotation')].map(({ textContent }) => textContent);
  }

  it.each([
    ['\\(a_1 * b_1\\) and \\(c\\)', ['a_1 * b_1', 'c']],
    ['so \\[x = \\frac{1}{2}\\] it is', ['x = \\frac{1}{2}']],
    ['$e^{i\\pi}$ and $$\\sum_i i$$', ['e^{i\\pi}', '\\sum_i i']],
    ['It is:\n\\[\na\n+ b\n= c\n\\]\nand on', ['a\n+ b\n= c']],
    ['$$\na\n\n- b\n$$', ['a\n\n- b']],
    ['- item \\(x\\)\n- **\\(y\\)**', ['x', 'y']],
  ])('of %j are read', async (source, expected) => {
    expect(await formulas(source)).toEqual(expected);
  });

  it.each([
    'It costs $5 and $6.',
    'From $5-$6 or US$ 7 to $8',
    '`$a$` and `\\(b\\)`',
    '```\n$a$\n```',
    'a $ b $ c',
  ])('are not seen in %j', (source) => {
    const { page } = show(source);
    expect(page.querySelector('.inline, .display')).toBeNull();
  });

  it('that cannot be read are shown as they are written', async () => {
    const { page } = show('\\(\\frac{1\\)');
    await vi.waitFor(() => expect(page.querySelector('.formula-source')).not.toBeNull(), 15_000);
    expect(page.textContent).toContain('\\frac{1');
  });

  it.each([
    ['\\href{javascript:alert(1)}{x}', 'a'],
    ['\\url{https://example.org}', 'a'],
    ['\\includegraphics{https://example.org/a.png}', 'img'],
    ['\\htmlStyle{position:fixed}{x}', '[style*=fixed]'],
    ['\\htmlId{app}{x}', '#app'],
    ['\\htmlClass{veil}{x}', '.veil'],
    ['\\text{<img src=x onerror=alert(1)>}', 'img, script'],
  ])('%j lead nowhere', async (tex, selector) => {
    const { page } = show(`$${tex}$`);
    await vi.waitFor(() => expect(page.querySelector('.katex, .formula-source')).not.toBeNull(), {
      timeout: 15_000,
    });
    expect(page.querySelector(selector)).toBeNull();
  });
});

describe('footnotes', () => {
  it('stand at the end, in the order in which they are named, each with the way back', () => {
    const { page } = show('One[^b] two[^a] three[^b].\n\n[^a]: *First*.\n[^b]: Second\n  and on.');
    expect([...page.querySelectorAll('sup')].map(({ textContent }) => textContent)).toEqual([
      '1',
      '2',
      '1',
    ]);
    const notes = [...page.querySelectorAll<HTMLElement>('.notes li')];
    expect(notes.map(({ textContent }) => textContent.replace(/\s+/g, ' ').trim())).toEqual([
      'Second and on. ↩',
      'First. ↩',
    ]);
    document.body.append(page);
    page.querySelector<HTMLElement>('[data-mark="2"]')?.click();
    expect(document.activeElement).toBe(notes[1]);
    notes[1]?.querySelector('button')?.click();
    expect(document.activeElement).toBe(page.querySelector('[data-mark="2"]'));
  });

  it('that are not there leave their mark as it is written', () => {
    expect(show('One[^x].').page.textContent?.trim()).toBe('One[^x].');
  });
});

describe('code', () => {
  it('has its language, its colours and a button that copies it', async () => {
    const written = vi.spyOn(navigator.clipboard, 'writeText').mockResolvedValue();
    const { page } = show('```python\ndef f(x):\n    return "a"\n```');
    expect(page.querySelector('.language')?.textContent).toBe('python');
    await vi.waitFor(() => expect(page.querySelector('.code-keyword')).not.toBeNull(), 15_000);
    expect(page.querySelector('pre')?.textContent).toBe('def f(x):\n    return "a"');
    const button = page.querySelector<HTMLElement>('.head button');
    button?.click();
    await vi.waitFor(() => expect(button?.textContent).toContain('Copied'));
    expect(written).toHaveBeenCalledWith('def f(x):\n    return "a"');
  });

  it('of an unknown language is shown plainly', () => {
    const { page } = show('```nonsense\nx <b>y</b>\n```');
    expect(page.querySelector('pre')?.textContent).toBe('x <b>y</b>');
  });
});

describe('safeLink', () => {
  it.each([
    ['https://example.org/x', 'https://example.org/x'],
    ['http://example.org', 'http://example.org/'],
    ['javascript:alert(1)', null],
    [' javascript:alert(1)', null],
    ['data:text/html,x', null],
    ['file:///etc/passwd', null],
    ['textbind-picture://picture/0', null],
    ['mailto:a@example.org', null],
    ['//example.org', null],
    ['#here', null],
    ['', null],
  ])('%j becomes %j', (href, expected) => {
    expect(safeLink(href)).toBe(expected);
  });
});
