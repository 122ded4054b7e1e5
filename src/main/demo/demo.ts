import { mkdir, rm } from 'node:fs/promises';
import path from 'node:path';
import type { BrowserWindow } from 'electron';
import { testIds } from '../../renderer/test-ids.ts';
import type { Turn } from '../../shared/domain/turn.ts';
import type { Logger } from '../../base/log.ts';
import type { AppServices } from '../services.ts';
import { checkExports, checkReply, exportedFile } from './checks.ts';
import { createDemoPage, type DemoPage } from './page.ts';
import { demoScript, type DemoTurn } from './script.ts';
import { reasonOf } from '../../shared/errors.ts';

/** The whole demo, from the first wait for the engine; `npm start` ends it a little later. Milliseconds. */
const totalMs = 14 * 60_000;
const pollMs = 100;
/** Tokens. */
const longestReply = 96;

export interface DemoOptions {
  readonly window: BrowserWindow;
  readonly services: AppServices;
  /** Folder for the screenshots and exports; the app must save into it without asking. */
  readonly out: string;
  /** The picture that is dropped. */
  readonly picture: string;
  readonly log: Logger;
}

interface Demo extends DemoOptions {
  readonly page: DemoPage;
  readonly signal: AbortSignal;
}

/** Runs the scripted conversation through the window. Returns the exit code; a failure is a line on stderr. */
export async function runDemo(options: DemoOptions): Promise<number> {
  const signal = AbortSignal.timeout(totalMs);
  const demo = { ...options, signal, page: createDemoPage(options.window, signal) };
  const { settings } = options.services.store;
  const before = settings.get();
  try {
    await mkdir(options.out, { recursive: true });
    // A reply that never ends must not use up the demo's time.
    settings.set({ sampling: { ...before.sampling, maxNewTokens: longestReply } });
    await converse(demo);
    say(`The demo succeeded. Its results are in ${options.out}`);
    return 0;
  } catch (error) {
    const reason = reasonOf(error);
    options.log.error('demo failed', { reason });
    process.stderr.write(`The demo failed: ${reason}\n`);
    await demo.page
      .screenshot(path.join(options.out, 'failure.png'))
      .catch(() => process.stderr.write('No screenshot of the failure could be taken.\n'));
    return 1;
  } finally {
    settings.set({ sampling: before.sampling });
  }
}

async function converse(demo: Demo): Promise<void> {
  const { page, out, services } = demo;
  await page.waitFor(testIds.composerInput);
  await page.screenshot(path.join(out, 'start.png'));
  await waitForEngine(demo);
  say(`Model: ${services.engine.status().model?.name}\n`);
  let named = 0;
  for (const [index, turn] of demoScript.entries()) {
    if (await playTurn(demo, turn, index + 1)) named += 1;
  }
  say(
    `${named} of ${demoScript.length} replies name what they are about (the model's doing, not checked).`,
  );
  await exportBoth(demo);
}

async function waitForEngine({ services, signal }: Demo): Promise<void> {
  for (;;) {
    const { state, reason, model } = services.engine.status();
    if (model !== null && state === 'ready') return;
    const hopeless =
      state === 'halted' || state === 'stopped' || (state === 'ready' && reason !== null);
    if (hopeless) throw new Error(`The engine is ${state}: ${reason ?? 'no reason given'}`);
    await pause(signal, `the engine (it is ${state})`);
  }
}

/** Returns whether the reply names what it is about. */
async function playTurn(demo: Demo, turn: DemoTurn, number: number): Promise<boolean> {
  const { page, out, picture } = demo;
  const before = storedTurns(demo).length;
  await page.type(testIds.composerInput, turn.words);
  if (turn.withPicture) {
    await page.dropFile(testIds.composerInput, picture);
    await page.waitFor(testIds.composerPicture);
  }
  await page.waitForEnabled(testIds.send);
  await page.click(testIds.send);
  const reply = await waitForReply(demo, before + 2);
  const sent = storedTurns(demo).at(-2);
  say(`You: ${inWords(sent)}\n${reply.model ?? 'Model'}: ${inWords(reply)}\n`);
  checkReply(turn, sent, reply, (hash) => demo.services.pictures.fileOf(hash));
  await page.waitFor(testIds.turn, { 'data-turn-id': reply.id, 'data-status': reply.status });
  await page.shownPictures(testIds.turn);
  await page.screenshot(path.join(out, `turn-${number}.png`));
  return inWords(reply).toLowerCase().includes(turn.thing);
}

/** The reply as it is stored, once it has ended. */
async function waitForReply(demo: Demo, count: number): Promise<Turn> {
  for (;;) {
    const turns = storedTurns(demo);
    const last = turns.at(-1);
    if (turns.length === count && last?.role === 'assistant' && last.status !== 'streaming') {
      return last;
    }
    await pause(demo.signal, `the reply (${turns.length} of ${count} turns are stored)`);
  }
}

async function exportBoth(demo: Demo): Promise<void> {
  const { page, out, services } = demo;
  for (const [item, extension] of [
    [testIds.exportMarkdown, 'md'],
    [testIds.exportJson, 'json'],
  ] as const) {
    const conversation = openConversation(demo);
    // What an earlier demo left there must not pass for this one's.
    await rm(exportedFile(out, extension, conversation), { force: true });
    await page.click(testIds.exportMenu);
    await page.click(item);
    await page.waitFor(testIds.savedNotice);
    const file = await checkExports(out, extension, conversation, demo.signal);
    say(`Exported: ${path.basename(file)}`);
  }
  await page.screenshot(path.join(out, 'exported.png'));
  const pictures = await page.shownPictures(testIds.picture);
  const expected = storedTurns(demo).flatMap(({ parts }) =>
    parts.filter(({ kind }) => kind === 'picture'),
  );
  if (pictures < expected.length) {
    throw new Error(`The window shows ${pictures} pictures; ${expected.length} are stored.`);
  }
  if (services.engine.status().crashes > 0) throw new Error('The engine crashed on the way.');
}

function openConversation({ services }: Demo) {
  const { store, chat } = services;
  const [summary] = store.conversations.list(1, 0).conversations;
  if (summary === undefined) throw new Error('No conversation is stored.');
  return chat.open(summary.id);
}

function storedTurns({ services }: Demo): readonly Turn[] {
  const [summary] = services.store.conversations.list(1, 0).conversations;
  return summary === undefined ? [] : services.store.turns.list(summary.id);
}

function inWords(turn: Turn | undefined): string {
  const parts = turn?.parts ?? [];
  return parts
    .map((part) => {
      if (part.kind === 'text') return part.text;
      if (part.kind === 'undrawn') return `[not drawn: ${part.caption}]`;
      const { origin, caption } = part.picture;
      return origin === 'drawn' ? ` [drawn: ${caption}] ` : ' [picture] ';
    })
    .join('')
    .replaceAll(/\s+/g, ' ')
    .trim();
}

async function pause(signal: AbortSignal, what: string): Promise<void> {
  if (signal.aborted) throw new Error(`The time was up while waiting for ${what}.`);
  await new Promise((resolve) => setTimeout(resolve, pollMs));
}

function say(line: string): void {
  process.stdout.write(`${line}\n`);
}
