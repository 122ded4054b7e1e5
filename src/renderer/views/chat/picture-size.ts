/** Sizes on the page, CSS pixels: at least `small` wide for a drawing (a small model's 128 x 128 would be lost). */
const widest = 880;
const smallDrawing = 384;
const tallest = 640;
const tallestOfPerson = 300;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** What is assumed of a drawing until its size is known: square, and shown as small drawings are. */
export const assumedDrawing: Size = { width: 128, height: 128 };

/** The size at which a drawn picture is shown, so that its place can be reserved before it exists. */
export function drawnSize(picture: Size): Size {
  return fit(picture, Math.max(picture.width, smallDrawing), tallest);
}

/** The size at which a person's own picture is shown: never enlarged, and lower than a screen. */
export function ownSize(picture: Size): Size {
  return fit(picture, picture.width, tallestOfPerson);
}

/** True where the tools find room on a picture of this size; else they stand under it. */
export function toolsFit({ width, height }: Size): boolean {
  return width >= 270 && height >= 64 && width <= 8 * height;
}

function fit(picture: Size, wantedWidth: number, maxHeight: number): Size {
  const ratio = picture.height / picture.width;
  const width = Math.max(1, Math.min(wantedWidth, widest, maxHeight / ratio));
  return { width: Math.round(width), height: Math.max(1, Math.round(width * ratio)) };
}
