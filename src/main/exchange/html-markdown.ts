import { Marked, type Tokens } from 'marked';

/** Beyond this many characters a text stands as it is, as in the window. */
const maxCharacters = 100_000;

/** Text that HTML takes for text and nothing else. */
export function escapeHtml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** Only these lead anywhere; the address is shown as it is written otherwise. */
function isSafe(href: string): boolean {
  return /^https?:\/\/[^\s/]/i.test(href);
}

const marked = new Marked({
  gfm: true,
  breaks: true,
  async: false,
  renderer: {
    // What a model writes as HTML is words.
    html: ({ text }: Tokens.HTML | Tokens.Tag) => escapeHtml(text),
    image: ({ text, href }: Tokens.Image) => escapeHtml(`![${text}](${href})`),
    link(token) {
      const words = this.parser.parseInline(token.tokens);
      return isSafe(token.href)
        ? `<a href="${escapeHtml(token.href)}" rel="noreferrer noopener">${words}</a>`
        : words;
    },
    // A conversation's own headings stand below those of the page.
    heading(token) {
      const level = Math.min(6, token.depth + 2);
      return `<h${level}>${this.parser.parseInline(token.tokens)}</h${level}>\n`;
    },
  },
});

/** A reply's markdown as HTML in which nothing runs and nothing is fetched. */
export function markdownToHtml(source: string): string {
  const plain = `<p class="written">${escapeHtml(source)}</p>`;
  if (source.length > maxCharacters || /(^|\n)\s*(>\s?){64}/.test(source)) return plain;
  try {
    return String(marked.parse(source));
  } catch {
    return plain;
  }
}
