// The command as it is started: a process of its own, asked by the official client, ended by a signal.
import { spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { textbind } from './textbind.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

const folder = temporaryFolderForAll();
const program = path.resolve(import.meta.dirname, '../../src/cli/main.ts');
const saidSchema = z.object({ address: z.string(), key: z.string(), model: z.string() });

/** Starts it; resolves with what it says when it listens. */
function start(...args: readonly string[]) {
  const child = spawn(process.execPath, [program, 'serve', '--json', '--port', '0', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, TMPDIR: folder },
  });
  let words = '';
  child.stderr.on('data', (data: Buffer) => (words += data.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('close', resolve));
  const said = new Promise<z.infer<typeof saidSchema>>((resolve, reject) => {
    child.stdout.once('data', (data: Buffer) =>
      resolve(saidSchema.parse(JSON.parse(data.toString()))),
    );
    void ended.then((code) => reject(new Error(`ended with ${code}: ${words}`)));
  });
  return { child, said, ended };
}

describe('textbind serve', () => {
  it('answers until it is ended, and leaves nothing behind', { timeout: 180_000 }, async () => {
    const keyFile = path.join(folder, 'key');
    const { child, said, ended } = start('--key-file', keyFile);
    const { address, key, model } = await said;
    expect(model).toBe('textbind-mini');
    expect(readFileSync(keyFile, 'utf8').trim()).toBe(key);
    expect(statSync(keyFile).mode & 0o777).toBe(0o600);
    const client = new OpenAI({ apiKey: key, baseURL: address, maxRetries: 0 });
    const answer = await client.chat.completions.create({
      ...{ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 4 },
    });
    expect(answer.usage?.completion_tokens).toBeGreaterThan(0);
    // In the middle of a reply.
    const stream = await client.chat.completions.create({
      ...{ model, messages: [{ role: 'user', content: 'Tell me a story' }], max_tokens: 500 },
      stream: true,
    });
    const reading = (async () => {
      for await (const { choices } of stream) {
        if (choices[0]?.delta.content) child.kill('SIGTERM');
      }
    })();
    await expect(reading).rejects.toThrow();
    expect(await ended).toBe(0);
    await expect(client.models.list()).rejects.toBeInstanceOf(OpenAI.APIConnectionError);
    expect(readdirSync(folder)).toEqual(['key']);
  });

  it('says what is wrong before it opens a model', async () => {
    const calls: [string[], RegExp][] = [
      [['--port', '70000'], /--port 70000/],
      [['--allow-origin', '*'], /--allow-origin \*: expected an origin/],
      [['--allow-origin', 'http://x/path'], /expected an origin/],
      [['--key-file', program], /a key has 16 to 200 signs/],
    ];
    for (const [args, message] of calls) {
      const { code, stderr, stdout } = await textbind('serve', ...args);
      expect([args, code, stdout()]).toEqual([args, 2, '']);
      expect(stderr()).toMatch(message);
    }
    const { code, stderr } = await textbind('serve', '--model', '/nowhere');
    expect([code, stderr()]).toEqual([1, expect.stringMatching(/no textbind\.json/)]);
  });
});
