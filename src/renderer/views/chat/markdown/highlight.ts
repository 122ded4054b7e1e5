/** Loaded when the first block of code is shown: the grammars are the largest part of what replies need. */
import { common, createLowlight } from 'lowlight';

/** A stretch of code in one colour. `kind` is one of Highlight.js' classes without its prefix; null: plain. */
export interface CodePiece {
  readonly text: string;
  readonly kind: string | null;
}

const lowlight = createLowlight(common);

/** More than this stays uncoloured: a grammar may take long over what is no code. */
const maxCharacters = 30_000;

type Root = ReturnType<typeof lowlight.highlight>;

/** The pieces of a text in a language, or null where the language is not known. */
export function colour(text: string, language: string): readonly CodePiece[] | null {
  const name = language.toLowerCase();
  if (text.length > maxCharacters || !lowlight.registered(name)) return null;
  const pieces: CodePiece[] = [];
  collect(lowlight.highlight(name, text).children, null, pieces);
  return pieces;
}

function collect(nodes: Root['children'], kind: string | null, into: CodePiece[]): void {
  for (const node of nodes) {
    if (node.type === 'text') into.push({ text: node.value, kind });
    else if (node.type === 'element') {
      const [first] = [node.properties['className']].flat();
      const own = typeof first === 'string' ? first.replace(/^hljs-/, '') : kind;
      collect(node.children, own, into);
    }
  }
}
