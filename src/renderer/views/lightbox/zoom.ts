/** How a picture is looked at: `zoom` 1 fits it into the stage; `x` and `y` move its middle, CSS pixels. */
export interface View {
  readonly zoom: number;
  readonly x: number;
  readonly y: number;
}

export interface Size {
  readonly width: number;
  readonly height: number;
}

export interface Point {
  readonly x: number;
  readonly y: number;
}

export const wholeView: View = { zoom: 1, x: 0, y: 0 };
/** How far a picture's own pixels may be enlarged, and the least that is allowed of a small stage. */
const mostPixelSize = 16;
const leastMaximum = 4;

/** The size of a picture that fits into the stage; small ones are enlarged up to three times. */
export function fittedSize(picture: Size, stage: Size): Size {
  const scale = Math.min(stage.width / picture.width, stage.height / picture.height, 3);
  return { width: picture.width * scale, height: picture.height * scale };
}

/** The most that a picture is zoomed. */
export function mostZoom(picture: Size, stage: Size): number {
  const { width } = fittedSize(picture, stage);
  return width > 0 ? Math.max(leastMaximum, (mostPixelSize * picture.width) / width) : leastMaximum;
}

/** The zoom at which one pixel of the picture is one CSS pixel. */
export function actualZoom(picture: Size, stage: Size): number {
  const { width } = fittedSize(picture, stage);
  return width > 0 ? picture.width / width : 1;
}

/** Zooms by `factor`, with what is at `point` (from the stage's middle) staying where it is. */
export function zoomedAt(
  view: View,
  factor: number,
  point: Point,
  picture: Size,
  stage: Size,
): View {
  const most = mostZoom(picture, stage);
  const least = Math.min(1, actualZoom(picture, stage));
  const zoom = Math.min(Math.max(view.zoom * factor, least), most);
  const grown = zoom / view.zoom;
  const x = point.x - (point.x - view.x) * grown;
  const y = point.y - (point.y - view.y) * grown;
  return kept({ zoom, x, y }, picture, stage);
}

/** Moves the picture, but never its edge past the stage's. */
export function moved(view: View, by: Point, picture: Size, stage: Size): View {
  return kept({ ...view, x: view.x + by.x, y: view.y + by.y }, picture, stage);
}

function kept(view: View, picture: Size, stage: Size): View {
  const fitted = fittedSize(picture, stage);
  const inside = (value: number, length: number, room: number): number => {
    const most = Math.max(0, (length * view.zoom - room) / 2);
    return most === 0 ? 0 : Math.min(Math.max(value, -most), most);
  };
  return {
    zoom: view.zoom,
    x: inside(view.x, fitted.width, stage.width),
    y: inside(view.y, fitted.height, stage.height),
  };
}
