/** One turn of the demo: what a person writes, and what the reply must have. */
export interface DemoTurn {
  readonly words: string;
  /** Whether the sample picture is dropped behind the words. */
  readonly withPicture: boolean;
  readonly mustDraw: boolean;
}

/** A picture and a question about it; a drawing; a question about what was drawn. */
export const demoScript: readonly DemoTurn[] = [
  { words: 'What is in this picture?', withPicture: true, mustDraw: false },
  { words: 'Draw a red apple.', withPicture: false, mustDraw: true },
  { words: 'What is in the picture you drew?', withPicture: false, mustDraw: false },
];
