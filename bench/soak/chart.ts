// A soak's samples as one picture: a small chart a column, all over the same time.
import type { Sample } from './sample.ts';

interface Panel {
  readonly title: string;
  readonly lines: readonly { readonly name: string; readonly of: (sample: Sample) => number }[];
}

const mebibytes = (bytes: number): number => bytes / 2 ** 20;

const panels: readonly Panel[] = [
  {
    title: 'Memory (PSS), MiB',
    lines: [
      { name: 'engine', of: ({ engine }) => mebibytes(engine) },
      { name: 'helpers', of: ({ helpers }) => mebibytes(helpers) },
      { name: 'page', of: ({ page }) => mebibytes(page) },
      { name: 'main', of: ({ main }) => mebibytes(main) },
      { name: 'others', of: ({ others }) => mebibytes(others) },
    ],
  },
  { title: 'Open files', lines: [{ name: 'all', of: ({ openFiles }) => openFiles }] },
  {
    title: 'Database, MiB',
    lines: [{ name: 'file + log', of: ({ database }) => mebibytes(database) }],
  },
  {
    title: 'Time between frames, ms',
    lines: [
      { name: 'longest', of: ({ frameMost }) => frameMost },
      { name: '99 of 100', of: ({ frame99 }) => frame99 },
    ],
  },
  { title: 'Load of the machine', lines: [{ name: '1 min', of: ({ load }) => load }] },
];

const colours = ['#0b7285', '#e67700', '#c2255c', '#5f3dc4', '#868e96'];
const size = { width: 800, height: 150, left: 60, right: 110, top: 24, bottom: 18 } as const;

/** The chart as SVG. */
export function chart(samples: readonly Sample[]): string {
  const last = samples.at(-1)?.seconds ?? 1;
  const height = panels.length * size.height + 24;
  const body = panels.map((panel, index) => panelOf(panel, samples, last, index * size.height));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${size.width}" height="${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="100%" height="100%" fill="#fff"/>`,
    ...body,
    `<text x="${size.left}" y="${height - 8}" fill="#555">0 to ${(last / 60).toFixed(1)} minutes, ${samples.at(-1)?.turns ?? 0} turns</text>`,
    '</svg>',
    '',
  ].join('\n');
}

function panelOf(
  { title, lines }: Panel,
  samples: readonly Sample[],
  last: number,
  offset: number,
): string {
  const most = Math.max(1, ...samples.flatMap((sample) => lines.map(({ of }) => of(sample))));
  const bottom = offset + size.height - size.bottom;
  const x = (seconds: number): string =>
    (size.left + (seconds / Math.max(1, last)) * (size.width - size.left - size.right)).toFixed(1);
  const y = (value: number): string =>
    (bottom - (value / most) * (size.height - size.top - size.bottom)).toFixed(1);
  const drawn = lines.flatMap(({ name, of }, index) => {
    const colour = colours[index] ?? '#000';
    const points = samples.map((sample) => `${x(sample.seconds)},${y(of(sample))}`).join(' ');
    const end = samples.at(-1);
    return [
      `<polyline points="${points}" fill="none" stroke="${colour}" stroke-width="1.5"/>`,
      `<text x="${size.width - size.right + 6}" y="${offset + size.top + 12 + index * 14}" fill="${colour}">${name} ${end === undefined ? '' : of(end).toFixed(0)}</text>`,
    ];
  });
  return [
    `<text x="${size.left}" y="${offset + 16}" font-weight="bold">${title}</text>`,
    `<text x="4" y="${offset + size.top + 8}" fill="#555">${most.toFixed(0)}</text>`,
    `<text x="4" y="${bottom}" fill="#555">0</text>`,
    `<line x1="${size.left}" y1="${bottom}" x2="${size.width - size.right}" y2="${bottom}" stroke="#ccc"/>`,
    ...drawn,
  ].join('\n');
}
