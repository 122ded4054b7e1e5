// The whole app is killed at random moments of a streamed conversation. The database must be whole each time, and
// no turn that it had confirmed may be missing. TEXTBIND_E2E_KILLS sets how often (default 10; 50 is the proof we run by hand).
import path from 'node:path';
import Database from 'better-sqlite3';
import { app, mainPid, restartApp } from './harness/app.ts';
import { engineReady, pressSend, turns, type } from './harness/window.ts';

const kills = Number(process.env['TEXTBIND_E2E_KILLS'] ?? 10);
/** The longest wait before a kill, ms: about what a reply with a drawing takes, so that kills fall in and after it. */
const longestWaitMs = 1_500;

/** The kill moments are the same in each run: a linear congruential generator (Numerical Recipes). */
function seededMoments(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return state / 2 ** 32;
  };
}

type Stored = { readonly integrity: string; readonly turns: Map<string, string> };

function stored(): Stored {
  const database = new Database(path.join(app().userData, 'data', 'textbind.db'));
  try {
    const integrity = String(database.pragma('integrity_check', { simple: true }));
    const rows = database
      .prepare(
        `SELECT turns.id AS id, group_concat(coalesce(parts.body, ''), '') AS text
           FROM turns LEFT JOIN parts ON parts.turn_key = turns.key GROUP BY turns.key`,
      )
      .all() as { id: string; text: string | null }[];
    return { integrity, turns: new Map(rows.map((row) => [row.id, row.text ?? ''])) };
  } finally {
    database.close();
  }
}

describe('SIGKILL of the whole app', function () {
  // Of the suite: what a test sets for itself comes too late for the runner, which has read its limit by then.
  this.timeout(kills * 60_000);

  it(`loses no confirmed turn in ${kills} kills`, async () => {
    const moment = seededMoments(20_261_122);
    const confirmed = new Map<string, string>();
    let streaming = 0;
    for (let kill = 0; kill < kills; kill += 1) {
      await engineReady();
      await type(`Draw a penguin. (${kill + 1})`);
      await pressSend();
      await browser.waitUntil(async () => (await turns()).at(-1)?.role === 'assistant', {
        interval: 20,
      });
      await browser.pause(moment() * longestWaitMs);
      for (const turn of await turns()) {
        // What was seen once is not read again: words far from sight are not laid out and read as none.
        if (turn.role === 'user') {
          if (!confirmed.has(turn.id)) confirmed.set(turn.id, turn.text);
        } else if (turn.status === 'streaming') streaming += 1;
      }
      process.kill(mainPid(), 'SIGKILL');
      const found = stored();
      expect(found.integrity).toBe('ok');
      for (const [id, text] of confirmed) expect(found.turns.get(id)).toBe(text);
      await restartApp();
    }
    // The moments must really have fallen into replies, or this proves nothing.
    expect(streaming).toBeGreaterThan(kills / 5);
  });
});
