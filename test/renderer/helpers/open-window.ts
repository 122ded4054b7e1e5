import { cleanup, render } from '@testing-library/svelte';
import { expect, onTestFinished, vi } from 'vitest';
import App from '../../../src/renderer/App.svelte';
import { createApi } from '../../../src/renderer/api.ts';
import { createStudio, type Studio } from '../../../src/renderer/state/studio.svelte.ts';
import { testIds, type TestId } from '../../../src/renderer/test-ids.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createMainHalf, writeModelFolders, type MainHalf } from '../../support/main-half.ts';
import { createScriptedWorkers, type ScriptedWorkers } from '../../support/scripted-worker.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

export function find(id: TestId, within: ParentNode = document): HTMLElement | null {
  return within.querySelector(`[data-testid="${id}"]`);
}

export function all(id: TestId, within: ParentNode = document): HTMLElement[] {
  return [...within.querySelectorAll<HTMLElement>(`[data-testid="${id}"]`)];
}

export function get(id: TestId, within: ParentNode = document): HTMLElement {
  const element = find(id, within);
  if (element === null) throw new Error(`There is no ${id}.`);
  return element;
}

/** A busy machine may take its time over it. */
export const until = <Value>(check: () => Value): Promise<Value> =>
  vi.waitFor(check, { timeout: 30_000 });

/** Presses a key where the focus is, as a person does. */
export function press(name: string, change: KeyboardEventInit = {}): void {
  const target = document.activeElement ?? document.body;
  const init = { key: name, bubbles: true, cancelable: true, ...change };
  target.dispatchEvent(new KeyboardEvent('keydown', init));
}

export interface OpenWindow {
  readonly main: MainHalf;
  readonly studio: Studio;
  readonly workers: ScriptedWorkers;
  /** Where main's data lie; what is saved goes there. */
  readonly folder: string;
  /** Sends words and waits for the whole reply; the reply's element. */
  talk(words: string): Promise<HTMLElement>;
}

/** The whole window over main as it is; only the engine plays scenes. It goes when the test ends. */
export async function openWindow(
  prepare: (main: MainHalf) => Promise<void> = async () => undefined,
  graphics: readonly string[] = [],
): Promise<OpenWindow> {
  localStorage.clear();
  const folder = temporaryFolder();
  writeModelFolders(folder);
  const workers = createScriptedWorkers(0.02);
  const clock = new FakeClock();
  const about = { folder, clock, graphics, log: silentLogger };
  const main = createMainHalf({ ...about, spawn: workers.spawn });
  onTestFinished(async () => {
    cleanup();
    await main.close();
  });
  await prepare(main);
  main.engine.start();
  const studio = createStudio(createApi(main.bridge));
  render(App, { studio });
  await until(() => expect(get(testIds.engineStatus).dataset['state']).toBe('ready'));
  const talk = async (words: string): Promise<HTMLElement> => {
    const before = studio.chat.turns.length;
    expect(await studio.chat.send([{ kind: 'text', text: words }])).toBe(true);
    await until(() => expect(studio.chat.turns.length).toBeGreaterThanOrEqual(before + 2));
    await until(() => expect(studio.chat.streamingTurn).toBeNull());
    return until(() => all(testIds.turn).at(-1)!);
  };
  return { main, studio, workers, folder, talk };
}
