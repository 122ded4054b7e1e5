// Export through the menu, and text that tries to be more than text.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import Database from 'better-sqlite3';
import { testIds } from '../../src/renderer/test-ids.ts';
import { textbindConversationSchema } from '../../src/shared/domain/textbind-conversation.ts';
import { app, restartApp } from './harness/app.ts';
import { scene } from './harness/scenes.ts';
import {
  ask,
  byId,
  dropFiles,
  engineReady,
  screenshot,
  selector,
  turns,
} from './harness/window.ts';

const hostile = [
  '<script>window.hacked = 1</script>',
  '<img src=x onerror="window.hacked = 2">',
  '[a link](javascript:window.hacked=3)',
  '<svg onload="window.hacked = 4"><a xlink:href="javascript:window.hacked=5">x</a></svg>',
  '<iframe srcdoc="<script>parent.hacked = 6</script>"></iframe>',
  '![remote](https://example.invalid/pixel.png)',
  '<style>* { display: none !important }</style>',
  '**bold words** stay',
].join('\n\n');

/** Every file below `folder`, relative to it. */
const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(folder, path.join(entry.parentPath, entry.name)));

async function exportAs(
  id: typeof testIds.exportMarkdown | typeof testIds.exportJson,
): Promise<void> {
  await byId(testIds.exportMenu).click();
  await byId(id).waitForClickable();
  await byId(id).click();
  await byId(testIds.savedNotice).waitForDisplayed();
}

describe('export', () => {
  before(async () => {
    await restartApp({ args: [`--save-folder=${app().scratch}`] });
    await engineReady();
    await dropFiles(scene().file);
    await byId(testIds.composerPicture).waitForDisplayed();
    await ask('What is this?');
  });

  it('writes Markdown with its pictures beside it', async () => {
    await exportAs(testIds.exportMarkdown);
    const files = filesBelow(app().scratch);
    const page = files.find((file) => file.endsWith('.md'));
    if (page === undefined) throw new Error(`no Markdown among ${files.join(', ')}`);
    const text = readFileSync(path.join(app().scratch, page), 'utf8');
    expect(text).toContain('What is this?');
    const linked = /!\[[^\]]*\]\(<?([^)>]+)>?\)/.exec(text)?.[1];
    if (linked === undefined) throw new Error(`no picture in ${text}`);
    const picture = path.join(app().scratch, path.dirname(page), decodeURIComponent(linked));
    expect(readFileSync(picture).equals(readFileSync(scene().file))).toBe(true);
  });

  it('writes JSON in the TextBind schema that its own schema reads', async () => {
    await exportAs(testIds.exportJson);
    const file = filesBelow(app().scratch).find((name) => name.endsWith('.json'));
    if (file === undefined) throw new Error('no JSON was written');
    const at = path.join(app().scratch, file);
    const read = textbindConversationSchema.parse(JSON.parse(readFileSync(at, 'utf8')));
    expect(read.conversation.map((turn) => turn.role)).toEqual(['user', 'assistant']);
    const picture = read.conversation[0]?.image_list[0] ?? 'none';
    expect(existsSync(path.join(path.dirname(at), read.image_dir, picture))).toBe(true);
  });
});

describe('hostile text', () => {
  async function harmless(): Promise<void> {
    const found = await browser.execute((turn: string) => {
      const scope = [...document.querySelectorAll(turn)];
      const bad = 'script, iframe, svg a, style, [onerror], [onload], a[href^="javascript"]';
      return {
        hacked: 'hacked' in window,
        elements: scope.flatMap((each) => [...each.querySelectorAll(bad)].map((e) => e.outerHTML)),
        remote: scope.flatMap((each) =>
          [...each.querySelectorAll('img')].map((e) => e.src).filter((src) => /^https?:/.test(src)),
        ),
      };
    }, selector(testIds.turn));
    expect(found).toEqual({ hacked: false, elements: [], remote: [] });
  }

  it('of a person is shown and does nothing', async () => {
    await ask(hostile.replaceAll('\n\n', ' '));
    expect((await turns()).at(-2)?.text).toContain('bold words');
    await harmless();
  });

  it('of a model is shown as far as it is text, and does nothing', async () => {
    const file = path.join(app().userData, 'data', 'textbind.db');
    const launched = { args: [`--save-folder=${app().scratch}`] };
    await browser.deleteSession();
    const database = new Database(file);
    const last = "(SELECT max(key) FROM turns WHERE role = 'assistant')";
    // A row with a picture may not be changed, so the reply's parts go and one of words takes their place.
    database.exec(`DELETE FROM parts WHERE turn_key = ${last}`);
    const written = database
      .prepare(`INSERT INTO parts (turn_key, position, kind, body) VALUES (${last}, 0, 'text', ?)`)
      .run(hostile);
    database.close();
    expect(written.changes).toBeGreaterThan(0);
    await restartApp(launched);
    await engineReady();
    await byId(testIds.conversationItem).click();
    await browser.waitUntil(async () => (await turns()).length === 4);
    expect((await turns()).at(-1)?.text).toContain('bold words');
    await harmless();
    await screenshot('hostile');
  });
});
