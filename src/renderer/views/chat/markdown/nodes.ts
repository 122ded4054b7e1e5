/**
 * Markdown as a tree of plain data, which Markdown.svelte makes elements of. No HTML string exists at any point, so
 * there is nothing that could execute: what looks like HTML is text.
 */
export type MarkdownNode =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'break' }
  | { readonly kind: 'rule' }
  | { readonly kind: 'code-span'; readonly text: string }
  /** `open`: its end has not come yet. */
  | {
      readonly kind: 'code';
      readonly text: string;
      readonly language: string;
      readonly open: boolean;
    }
  | { readonly kind: 'formula'; readonly tex: string; readonly display: boolean }
  | { readonly kind: 'strong' | 'em' | 'del' | 'paragraph'; readonly children: Nodes }
  | { readonly kind: 'tight'; readonly children: Nodes }
  | { readonly kind: 'quote'; readonly direction: Direction; readonly children: Nodes }
  /** `level`: as written, 1 to 6. `rank`: its depth among the headings above it, from 1. */
  | {
      readonly kind: 'heading';
      readonly level: number;
      readonly rank: number;
      readonly children: Nodes;
    }
  | { readonly kind: 'link'; readonly href: string; readonly children: Nodes }
  /** A mark that stands for the note of this label, or for itself where there is none. */
  | { readonly kind: 'note-mark'; readonly label: string }
  | {
      readonly kind: 'list';
      readonly ordered: boolean;
      readonly start: number;
      /** It goes on with the list before it, of which it is a later stretch. */
      readonly continued: boolean;
      readonly direction: Direction;
      readonly items: readonly { readonly checked: boolean | null; readonly children: Nodes }[];
    }
  | {
      readonly kind: 'table';
      readonly direction: Direction;
      /** Of each column; null: as the writing goes. */
      readonly align: readonly ('left' | 'center' | 'right' | null)[];
      readonly head: readonly Nodes[];
      readonly rows: readonly (readonly Nodes[])[];
    };

export type Nodes = readonly MarkdownNode[];

/** Which way the writing goes. */
export type Direction = 'ltr' | 'rtl';

/** A footnote's words. */
export interface Note {
  readonly label: string;
  readonly children: Nodes;
}

/** All that one text is shown as. */
export interface MarkdownPage {
  readonly blocks: Nodes;
  /** In the order in which the text first names them; then those that it never names. */
  readonly notes: readonly Note[];
}

const firstLetter = /\p{L}/u;
const rightToLeft =
  /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}\p{Script=Nko}\p{Script=Samaritan}\p{Script=Mandaic}\p{Script=Adlam}\p{Script=Hanifi_Rohingya}]/u;

/** The way a text is written, by its first letter, as the browser's `dir="auto"` finds it. */
export function directionOf(text: string): Direction {
  const letter = firstLetter.exec(text)?.[0];
  return letter !== undefined && rightToLeft.test(letter) ? 'rtl' : 'ltr';
}
