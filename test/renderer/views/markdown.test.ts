import { cleanup, render } from '@testing-library/svelte';
import { afterEach, describe, expect, it, vi } from 'vitest';
import Markdown from '../../../src/renderer/views/chat/Markdown.svelte';
import { readMarkdown, safeLink } from '../../../src/renderer/views/chat/markdown-tree.ts';

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
      expect(element.tagName.toLowerCase()).toMatch(harmless);
      for (const { name } of element.attributes) {
        expect(name).toMatch(/^(class|href|title|rel|tabindex|aria-[a-z]+|role|start|this)$/);
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
  ])('reads %s without falling over', (_name, source) => {
    expect(readMarkdown(source).length).toBeGreaterThan(0);
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
    const { container, rerender } = render(Markdown, { source: 'One.\n\nTw', onlink: vi.fn() });
    const first = container.querySelector('p');
    await rerender({ source: 'One.\n\nTwo and **three**' });
    expect(container.querySelector('p')).toBe(first);
    expect(container.querySelector('strong')?.textContent).toBe('three');
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
