import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { Recipe } from '../../src/shared/domain/recipe.ts';
import { noPython } from '../golden/run-python.ts';
import { ChatServerLookAlike } from '../support/chat-server.ts';
import { textbind } from './textbind.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 300_000 });

const root = path.join(import.meta.dirname, '..', '..');
const folder = temporaryFolderForAll();
const server = new ChatServerLookAlike();
beforeAll(() => server.start());
afterAll(() => server.stop());

/** The whole way by the command line, with the embedded model's eyes and a server that faults. */
describe.skipIf(noPython !== undefined)(`textbind recipe ${noPython ?? ''}`, () => {
  const place = path.join(folder, 'recipe');
  const prompts = ['--prompts', path.join(folder, 'prompts')];
  const recipe = async (action: string, ...more: string[]) => {
    const run = await textbind('recipe', action, place, ...prompts, ...more, '--json');
    const value = run.code === 0 ? (JSON.parse(run.stdout()) as Recipe) : null;
    return { code: run.code, value, error: run.stderr() };
  };

  it('looks at pictures, writes, is judged and becomes data that can be trained on', async () => {
    const scenes = path.join(root, 'test', 'fixtures', 'scenes');
    const data = path.join(folder, 'scenes');
    mkdirSync(data);
    const { scenes: listed } = JSON.parse(
      readFileSync(path.join(scenes, 'scenes.json'), 'utf8'),
    ) as { scenes: { file: string; caption: string }[] };
    for (const { file, caption } of listed.slice(0, 16)) {
      cpSync(path.join(scenes, file), path.join(data, file));
      writeFileSync(path.join(data, file.replace('.jpg', '.txt')), caption);
    }
    const made = await recipe('make', '--data', data, '--count', '4', '--pictures', '2');
    expect(made.value).toMatchObject({
      pictures: { count: 16, compared: true },
      counts: { toWrite: 4 },
    });

    const to = ['--server', server.address, '--server-model', 'writer-1'];
    const estimate = await recipe('estimate', ...to);
    expect(estimate.value).toMatchObject({ requests: 4, address: server.address });
    expect(server.asked).toEqual([]);

    server.script = () => ({ kind: 'status', status: 401, message: 'who are you' });
    const refused = await recipe('write', ...to);
    expect(refused.code).toBe(1);
    expect(refused.error).toMatch(/401: who are you\. Put in a key/);
    server.script = (request) =>
      request === 1 ? { kind: 'status', status: 429, retryAfter: '1' } : null;
    server.key = 'sk-file';
    writeFileSync(path.join(folder, 'key'), 'sk-file\n');
    const written = await recipe('write', ...to, '--key-file', path.join(folder, 'key'));
    expect(written.value?.counts).toMatchObject({ toReview: 4, toWrite: 0 });

    expect((await recipe('judge', '--reject', '2')).value?.counts.rejected).toBe(1);
    expect((await recipe('judge', '--accept', 'all')).value?.counts.accepted).toBe(3);
    const out = path.join(folder, 'out');
    expect((await recipe('export', '--out', out)).value).toMatchObject({ rows: 3 });
    expect(existsSync(path.join(out, 'train.json'))).toBe(true);
    const checked = await textbind('validate-data', '--stage', '2', out, '--json');
    expect(JSON.parse(checked.stdout())).toMatchObject({ rows: 3, faults: [] });
  });

  it('says what is wrong with how it was called', async () => {
    expect((await textbind('recipe', 'bake', place)).code).toBe(2);
    expect((await textbind('recipe', 'show', path.join(folder, 'nowhere'))).code).toBe(2);
    expect((await recipe('write', '--server', 'ftp://x', '--server-model', 'm')).code).toBe(2);
    expect((await recipe('make', '--data', folder)).code).toBe(2);
  });
});
