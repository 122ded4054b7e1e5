// The window in a browser, on main as it is with the scripted engine, and changed while one looks:
//   npx node test/renderer/preview/serve.ts [--port N] [--pace X] [--turns N] [--pictures N] [--card NAME]
// `--pace 0.5` is twice as fast; `--turns 1000` adds a conversation of that length, `--pictures 50000` as many drawings, twenty to a
// conversation. Its data lie in a temporary folder
// that goes with it. What to write to see which state: test/support/scenes.ts; `?say=/two` in the address says it.
import { mkdtempSync, rmSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { createServer, type Plugin, type ViteDevServer, type WebSocketClient } from 'vite';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureHandler } from '../../../src/main/protocols/picture.ts';
import { appProtocols } from '../../../src/shared/contracts/app-channels.ts';
import { createMainHalf, writeModelFolders, type MainHalf } from '../../support/main-half.ts';
import { createScriptedWorkers } from '../../support/scripted-worker.ts';
import { seedConversations, seedPictures } from './seed.ts';
import { pack, unpack, type PreviewMessages } from './wire.ts';

const { values } = parseArgs({
  options: {
    port: { type: 'string', default: '5199' },
    pace: { type: 'string', default: '1' },
    turns: { type: 'string', default: '0' },
    pictures: { type: 'string', default: '0' },
    card: { type: 'string' },
  },
});
const folder = mkdtempSync(path.join(os.tmpdir(), 'textbind-preview-'));
writeModelFolders(folder);
const { spawn, script } = createScriptedWorkers(Number(values.pace));
const graphics = values.card === undefined ? [] : [values.card];
script.cuda = {
  package: {
    name: 'Some.Gpu.Linux',
    version: '1.30.0',
    feed: 'https://feed.example',
    entries: ['x'],
  },
  ...{ folder: null, missing: [], fault: null },
};
const main = createMainHalf({ folder, spawn, graphics, clock: systemClock, log: silentLogger });
await seedConversations(main.services, Number(values.turns));
await seedPictures(main.services, Number(values.pictures));
main.engine.start();

const server = await createServer({
  root: import.meta.dirname,
  configFile: false,
  plugins: [svelte({ configFile: false }), bridgeOver(main), picturesOf(main)],
  server: { port: Number(values.port), strictPort: true, host: '127.0.0.1' },
});
await server.listen();
server.printUrls();

async function end(): Promise<void> {
  await server.close();
  await main.close();
  rmSync(folder, { recursive: true, force: true });
  process.exit(0);
}
process.once('SIGINT', () => void end());
process.once('SIGTERM', () => void end());

/** What preload is in the app: requests and events, over the socket that the page has anyway. */
function bridgeOver({ bridge }: MainHalf): Plugin {
  return {
    name: 'textbind-bridge',
    configureServer({ ws }: ViteDevServer) {
      ws.on('preview:request', (text: string, client: WebSocketClient) => {
        const { id, name, body } = unpack(text) as PreviewMessages['preview:request'];
        void bridge
          .request(name, body)
          .then((envelope) => client.send('preview:reply', pack({ id, envelope })));
      });
      bridge.onEvent((name, body) => ws.send('preview:event', pack({ name, body })));
    },
  };
}

/** What the picture protocol is in the app. */
function picturesOf({ services }: MainHalf): Plugin {
  const { store, pictures, thumbnails } = services;
  const answer = createPictureHandler({
    fileOf: (hash) => pictures.fileOf(hash),
    mediaType: (hash) => store.pictures.mediaType(hash),
    thumbnail: (hash) => thumbnails.read(hash),
  });
  return {
    name: 'textbind-pictures',
    configureServer({ middlewares }: ViteDevServer) {
      for (const size of ['picture', 'thumbnail']) {
        middlewares.use(`/${size}`, (request, response) => {
          void answer({ url: `${appProtocols.picture}://${size}${request.url}` }).then(
            async (found) => {
              response.writeHead(found.status, Object.fromEntries(found.headers));
              response.end(new Uint8Array(await found.arrayBuffer()));
            },
          );
        });
      }
    },
  };
}
