import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { Worker } from 'node:worker_threads';
import { describe, expect, it } from 'vitest';
import { codecVersions } from '../../../../src/worker/inputs/picture-codec.ts';
import { encoders, noisy } from '../../../main/support/hostile-pictures.ts';
import { temporaryFolderForAll } from '../../../support/temporary-folder.ts';

const folder = temporaryFolderForAll();

/** What each way out came to. */
type Outcomes = Readonly<Record<'before' | 'after', Record<string, string>>>;

describe('the thread that decodes', () => {
  it('can do all that Node can before its doors are closed, and nothing of it after', async () => {
    const picture = path.join(folder, 'picture.png');
    const written = path.join(folder, 'written.png');
    writeFileSync(picture, await encoders.png(noisy()));
    const thread = new Worker(path.join(import.meta.dirname, 'doors-thread.ts'), {
      workerData: { picture, written },
    });
    const { before, after } = await new Promise<Outcomes>((resolve, reject) => {
      thread.on('message', (message: Outcomes) => {
        resolve(message);
        // What it wrote before must not be taken for what it wrote after.
        rmSync(written, { force: true });
      });
      thread.on('error', reject);
    });
    await thread.terminate();
    const ways = Object.keys(before);
    expect(ways.length).toBeGreaterThan(10);
    // A picture is no native code: that fails before too, for another reason.
    const notPossible = new Set(['native code is loaded']);
    for (const way of ways.filter((each) => !notPossible.has(each))) {
      expect([way, before[way]]).toEqual([way, 'done']);
    }
    for (const way of ways) {
      expect([way, after[way]]).toEqual([
        way,
        expect.stringMatching(/EACCES|ermission|is missing|unable to open/i),
      ]);
    }
  });

  it('is libvips as WebAssembly, of the version that its package says', async () => {
    const wanted = createRequire(import.meta.url)('@img/sharp-wasm32/versions') as {
      readonly vips: string;
      readonly emscripten: string;
    };
    expect(wanted.emscripten).toBeTruthy();
    expect(await codecVersions()).toMatchObject({ sharp: '0.35.5', vips: wanted.vips });
  });

  it('is given only calls of the system that its own thread answers', () => {
    const require = createRequire(import.meta.url);
    const index = require.resolve('@img/sharp-wasm32/sharp.node');
    const [name] = /sharp-wasm32-[\d.]+\.node/.exec(readFileSync(index, 'utf8')) ?? [];
    const glue = readFileSync(path.join(path.dirname(index), 'lib', `${name}.js`), 'utf8');
    const calls = [
      ...glue.matchAll(/function (___syscall_\w+|_fd_\w+|_environ\w+)\([^)]*\)\{(.{52})/g),
    ];
    expect(calls.length).toBeGreaterThan(20);
    for (const [, call, begin] of calls) {
      expect([call, begin]).toEqual([
        call,
        expect.stringContaining('if(ENVIRONMENT_IS_PTHREAD)return proxyToMainThread('),
      ]);
    }
    expect(glue).not.toMatch(/_napi_(run_script|get_global)/);
  });
});
