/** One turn of the demo: what a person writes, and what the reply must have. */
export interface DemoTurn {
  readonly words: string;
  /** Whether the sample picture is dropped behind the words. */
  readonly withPicture: boolean;
  readonly mustDraw: boolean;
  /** What a good reply names, in its words or in its drawing's caption. The embedded model may be wrong: no failure. */
  readonly thing: string;
}

/** A picture and a question about it; a drawing; a question about what was drawn. */
export const demoScript: readonly DemoTurn[] = [
  { words: 'What is in this picture?', withPicture: true, mustDraw: false, thing: 'pizza' },
  { words: 'Draw a penguin.', withPicture: false, mustDraw: true, thing: 'penguin' },
  {
    words: 'What is in the picture you drew?',
    withPicture: false,
    mustDraw: false,
    thing: 'penguin',
  },
];
