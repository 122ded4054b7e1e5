import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { readTextFile } from '../../base/json-file.ts';
import { silentLogger } from '../../base/log.ts';
import { freshKey, startLocalServer } from '../../server/server.ts';
import { defaultServerPort } from '../../shared/domain/local-server.ts';
import { openLocalEngine } from '../local-engine.ts';
import { findModelFolder } from '../model-option.ts';
import { command } from '../options.ts';
import { numberOption, UsageError } from '../usage.ts';

const keyVariable = 'TEXTBIND_API_KEY';

export const serveCommand = command({
  usage:
    'textbind serve [--model NAME|DIR] [--port N] [--key-file FILE] [--allow-origin ORIGIN] [--json]',
  texts: ['model', 'port', 'key-file', 'allow-origin'],
  async run({ values, output }) {
    const port = numberOption(values.port, 'port', { min: 0, max: 65_535 }) ?? defaultServerPort;
    const allowedOrigins = readOrigin(values['allow-origin']);
    const key = await readKey(values['key-file']);
    const folder = await findModelFolder(values.model);
    const ending = endingSignal();
    output.progress('opening the model');
    const engine = await openLocalEngine({ folder, provider: 'auto' }, silentLogger, ending);
    const pictures = await mkdtemp(path.join(tmpdir(), 'textbind-serve-'));
    try {
      const { served } = engine;
      const options = { engine: served, port, key, allowedOrigins, log: silentLogger };
      const server = await startLocalServer({
        ...options,
        folder: path.join(pictures, 'requests'),
        onChange: ({ active, waiting }) =>
          output.progress(active ? `answering, ${waiting} waiting` : 'ready'),
      });
      try {
        const model = await served.model(ending);
        output.progress('');
        output.result({ address: server.address, key, model: model.id }, () => {
          output.line(`${model.name} (${model.id}) at ${server.address}`);
          output.line(`key: ${key}`);
          output.line('Programs on this machine can use it; Ctrl+C ends it.');
        });
        await ended(ending);
      } finally {
        await server.close();
      }
    } finally {
      await engine.close();
      await rm(pictures, { recursive: true, force: true });
    }
  },
});

/** Aborted by Ctrl+C, or a request to end. */
function endingSignal(): AbortSignal {
  const ending = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.once(name, () => ending.abort());
  }
  return ending.signal;
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve()));
}

function readOrigin(value: string | undefined): readonly string[] {
  if (value === undefined) return [];
  const url = URL.canParse(value) ? new URL(value) : null;
  if (url?.origin === value && value !== 'null') return [value];
  throw new UsageError(`--allow-origin ${value}: expected an origin, e.g. http://localhost:5173`);
}

/** A key of the person's: from the environment, or a file, which is made where there is none; else a fresh one. */
async function readKey(file: string | undefined): Promise<string> {
  const named = process.env[keyVariable] ?? '';
  if (file === undefined) return named === '' ? freshKey() : checkedKey(named, keyVariable);
  if (existsSync(file)) return checkedKey(readTextFile(file, 'bad-input').trim(), file);
  const key = freshKey();
  await writeFile(file, `${key}\n`, { mode: 0o600, flag: 'wx' });
  return key;
}

function checkedKey(key: string, source: string): string {
  if (/^[\x21-\x7e]{16,200}$/.test(key)) return key;
  throw new UsageError(`${source}: a key has 16 to 200 signs without spaces`);
}
