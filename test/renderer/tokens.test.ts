import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const css = readFileSync(
  path.join(import.meta.dirname, '../../src/renderer/styles/tokens.css'),
  'utf8',
);

type Scheme = 'light' | 'dark';
type Rgb = readonly [red: number, green: number, blue: number];

/** The colour of a token in a scheme, as linear RGB, laid over `ground` where it lets some of it through. */
function colour(name: string, scheme: Scheme, ground: Rgb | null = null): Rgb {
  const value = new RegExp(`--${name}:\\s*light-dark\\(([^;]+)\\);`).exec(css)?.[1];
  if (value === undefined) throw new Error(`--${name} is no light-dark() colour`);
  const both = [...value.matchAll(/oklch\(([^)]+)\)/g)].map((match) => match[1] ?? '');
  const [numbers, alpha] = (both[scheme === 'light' ? 0 : 1] ?? '').split('/');
  const [lightness = 0, chroma = 0, hue = 0] = (numbers ?? '').trim().split(/\s+/).map(Number);
  const own = linearRgb(lightness, chroma, hue);
  const share = alpha === undefined ? 1 : Number(alpha);
  if (share === 1 || ground === null) return own;
  const mix = (index: 0 | 1 | 2): number => own[index] * share + ground[index] * (1 - share);
  return [mix(0), mix(1), mix(2)];
}

/** OKLCH to linear sRGB, by Ottosson's matrices (bottosson.github.io/posts/oklab), clipped to the gamut. */
function linearRgb(lightness: number, chroma: number, hue: number): Rgb {
  const a = chroma * Math.cos((hue * Math.PI) / 180);
  const b = chroma * Math.sin((hue * Math.PI) / 180);
  const long = (lightness + 0.3963377774 * a + 0.2158037573 * b) ** 3;
  const medium = (lightness - 0.1055613458 * a - 0.0638541728 * b) ** 3;
  const short = (lightness - 0.0894841775 * a - 1.291485548 * b) ** 3;
  const clip = (value: number): number => Math.min(1, Math.max(0, value));
  return [
    clip(4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short),
    clip(-1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short),
    clip(-0.0041960863 * long - 0.7034186147 * medium + 1.707614701 * short),
  ];
}

/** WCAG 2 contrast of two colours. */
function contrast(one: Rgb, other: Rgb): number {
  const light = ([red, green, blue]: Rgb): number => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const [low = 0, high = 0] = [light(one), light(other)].toSorted((x, y) => x - y);
  return (high + 0.05) / (low + 0.05);
}

const grounds = [
  'ground',
  'ground-list',
  'ground-rail',
  'ground-raised',
  'ground-tint',
  'ground-tint-raised',
];
const pairs: readonly (readonly [text: string, ground: string])[] = [
  ...grounds.flatMap((ground) =>
    ['text', 'text-soft', 'text-faint', 'accent', 'red'].map((text) => [text, ground] as const),
  ),
  ['on-accent', 'accent'],
  ['on-accent', 'accent-hover'],
  ['accent', 'accent-soft'],
  ...['keyword', 'string', 'number', 'title', 'attribute'].map(
    (kind) => [`code-${kind}`, 'ground-tint'] as const,
  ),
  ['text', 'amber-soft'],
  ['text', 'red-soft'],
  ['red', 'red-soft'],
];

describe.each(['light', 'dark'] as const)('%s colours', (scheme) => {
  it.each(pairs)('%s on %s reads (4.5 to 1)', (text, ground) => {
    expect(contrast(colour(text, scheme), colour(ground, scheme))).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['ground-hover', 'ground-selected'])('text on %s reads', (over) => {
    const ground = colour(over, scheme, colour('ground-list', scheme));
    expect(contrast(colour('text', scheme), ground)).toBeGreaterThanOrEqual(4.5);
  });

  it.each(['good', 'amber', 'red', 'accent'])('the shape in %s is seen (3 to 1)', (state) => {
    for (const ground of grounds) {
      expect(contrast(colour(state, scheme), colour(ground, scheme))).toBeGreaterThanOrEqual(3);
    }
  });
});

/** Every style there is: the style sheets, and the style block of each component. */
function* styles(): Generator<readonly [file: string, css: string]> {
  const root = path.join(import.meta.dirname, '../../src/renderer');
  for (const file of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (!/\.(?:css|svelte)$/.test(file)) continue;
    const source = readFileSync(path.join(root, file), 'utf8');
    const css = file.endsWith('.css') ? source : (/<style>[^]*/.exec(source)?.[0] ?? '');
    yield [file, css.replaceAll(/\/\*[^]*?\*\//g, '')];
  }
}

describe('styles', () => {
  // With one such rule anywhere, Chromium styles all that a list holds anew whenever an element comes into it.
  it('have no rule for any element behind another', () => {
    const found = [...styles()].flatMap(([file, css]) =>
      (css.match(/[+~]\s*(?::global\()?\*/g) ?? []).map((rule) => `${file}: ${rule}`),
    );
    expect(found).toEqual([]);
  });
});
