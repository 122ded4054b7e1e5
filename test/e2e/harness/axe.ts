// axe over the page as it is, light and dark; and pressing what may lie under something else.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { TestId } from '../../../src/renderer/test-ids.ts';
import { byId, screenshot, selector } from './window.ts';

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

interface Finding {
  readonly rule: string;
  readonly at: readonly string[];
}

/** What axe finds on the page as it is now, the best practices among it. */
async function findings(): Promise<Finding[]> {
  const isThere = await browser.execute(() => 'axe' in window);
  if (!isThere) await browser.execute(axeSource);
  return browser.executeAsync((done: (found: Finding[]) => void) => {
    interface Axe {
      run(root: Document): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }>;
    }
    const { axe } = window as unknown as { axe: Axe };
    // Colours on their way from one theme to another, or of what only comes up, are no colours.
    for (const animation of document.getAnimations()) {
      if (Number.isFinite(animation.effect?.getComputedTiming().endTime)) animation.finish();
    }
    void axe.run(document).then(({ violations }) => {
      done(
        violations.map(({ id, nodes }) => ({
          rule: id,
          at: nodes.slice(0, 5).map(({ html }) => html.slice(0, 200)),
        })),
      );
    });
  });
}

export async function theme(name: 'light' | 'dark'): Promise<void> {
  await browser.execute((value: string) => {
    document.documentElement.dataset['theme'] = value;
  }, name);
}

let looked = 0;

/** In both themes; where screenshots are wanted, there is one of each, numbered as they come. */
export async function expectNoFinding(): Promise<void> {
  looked += 1;
  for (const name of ['light', 'dark'] as const) {
    await theme(name);
    const found = await findings();
    // Afterwards: colours take a moment to change.
    await screenshot(`axe-${String(looked).padStart(2, '0')}-${name}`);
    expect(found).toEqual([]);
  }
}

/** By script: what is under the pointer is not what is looked at here. */
export async function click(id: TestId): Promise<void> {
  await byId(id).waitForExist();
  await browser.execute((at: string) => {
    document.querySelector<HTMLElement>(at)!.click();
  }, selector(id));
}
