import { readdirSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import { openBackups } from '../../../src/main/database/backups.ts';
import {
  createCopyInspector,
  longestInspectionMs,
} from '../../../src/main/processes/copy-inspector.ts';
import type { Spawn } from '../../../src/main/processes/child.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { keeperSpawn } from '../support/decoder-process.ts';
import { openTestStorage } from '../support/storage.ts';
import { makeTurn, text } from '../support/turns.ts';

const id = '00000000-0000-4000-8000-000000000001';

function filled() {
  const made = openTestStorage();
  made.store.conversations.create(id, 'x', 1);
  for (let turn = 0; turn < 300; turn += 1)
    made.store.turns.append(id, makeTurn('user', [text('lorem ipsum '.repeat(1000))]));
  return { ...made, copies: path.join(made.folder, 'copies') };
}

const inspectorOf = (spawn: Spawn) =>
  createCopyInspector({ spawn, clock: new FakeClock(), log: silentLogger });

describe('the process that looks through copies', () => {
  test('says what main itself would say, and ends', async () => {
    const { database, copies } = filled();
    const spawn = keeperSpawn();
    // Heard from the start on: it may end before the second copy has.
    const ends: Promise<void>[] = [];
    const heard: Spawn = () => {
      const child = spawn();
      ends.push(new Promise((resolve) => child.onExit(() => resolve())));
      return child;
    };
    const apart = await openBackups(copies, silentLogger, {
      inspect: inspectorOf(heard),
      now: () => 1,
    }).make(database, 'day');
    const here = await openBackups(copies, silentLogger, { now: () => 2 }).make(database, 'day');
    expect(ends).toHaveLength(1);
    expect(apart).toMatchObject({ turns: 300, conversations: 1, form: here!.form });
    expect([apart!.bytes, apart!.sha256]).toEqual([here!.bytes, here!.sha256]);
    await Promise.all(ends);
  });

  test('finds a copy that is damaged, and nothing of it is left', async () => {
    const { database, copies } = filled();
    database.unsafeMode(true);
    database.pragma('writable_schema = ON');
    database.exec("UPDATE sqlite_schema SET rootpage = 9000 WHERE name = 'turns'");
    const backups = openBackups(copies, silentLogger, { inspect: inspectorOf(keeperSpawn()) });
    await expect(backups.make(database, 'day')).rejects.toMatchObject({ kind: 'storage' });
    expect(readdirSync(copies)).toEqual([]);
  });

  test('that is killed, or cannot be started, leaves the look to main', async () => {
    const { database, copies } = filled();
    const spawn = keeperSpawn();
    const killed: Spawn = () => {
      const child = spawn();
      child.kill('SIGKILL');
      return child;
    };
    const never: Spawn = () => {
      throw new Error('no process is left');
    };
    for (const start of [killed, never]) {
      const backups = openBackups(copies, silentLogger, { inspect: inspectorOf(start) });
      expect(await backups.make(database, 'day')).toMatchObject({ turns: 300 });
    }
  });

  test('that is not done in time leaves main alone, and no copy', async () => {
    const { database, copies } = filled();
    const clock = new FakeClock();
    const spawn = keeperSpawn();
    const hanging: Spawn = () => {
      const child = spawn();
      process.kill(child.pid() ?? NaN, 'SIGSTOP');
      setImmediate(() => clock.advance(longestInspectionMs));
      return child;
    };
    const inspect = createCopyInspector({ spawn: hanging, clock, log: silentLogger });
    const backups = openBackups(copies, silentLogger, { inspect });
    expect(await backups.make(database, 'day')).toBeNull();
    expect(readdirSync(copies)).toEqual([]);
  });
});
