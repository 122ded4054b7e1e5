// What keeps conversations, without a window: the app's own storage, conversations and engine in a plain Node, asked by
// messages. It is there to be killed: a start costs a fifth of what Electron's does.
//   DATA_FOLDER [MODEL_FOLDER WORKER]   without a model, an engine answers that needs none
import { flushCompileCache } from 'node:module';
import path from 'node:path';
import { systemClock } from '../../src/base/clock.ts';
import { silentLogger } from '../../src/base/log.ts';
import { ChatService } from '../../src/main/conversations/chat-service.ts';
import { startStorage } from '../../src/main/database/storage.ts';
import { createPictureStore } from '../../src/main/pictures/store.ts';
import type { Child } from '../../src/main/processes/child.ts';
import { Engine } from '../../src/main/processes/engine.ts';
import { createNodeSpawn } from '../../src/main/processes/node-spawn.ts';
import type { ReplyMessage } from '../../src/shared/domain/reply.ts';
import type { Asked, Said } from './messages.ts';
import { scriptedEngine } from './scripted-engine.ts';

const [folder = '', model = '', worker = ''] = process.argv.slice(2);
const place = (name: string): string => path.join(folder, name);
const say = (message: Said): void => void process.send?.(message);

const start = startStorage({
  places: {
    database: place('textbind.db'),
    backups: place('backups'),
    pictures: place('pictures'),
  },
});
if (start.kind === 'failed') throw new Error(start.failure.detail);
const { store, database } = start.storage;
const streaming = database
  .prepare(`SELECT count(*) AS count FROM turns WHERE status = 'streaming'`)
  .get() as { count: number };

const clock = systemClock;
const log = silentLogger;
let child: Child | null = null;
const spawn = createNodeSpawn({ entry: worker });
const engine =
  model === ''
    ? null
    : new Engine({
        spawn() {
          child = spawn();
          return child;
        },
        clock,
        log,
        choice: () => ({ folder: model, provider: 'auto' }),
        onStatus: ({ state }) => say({ kind: 'engine', state, pid: child?.pid() ?? null }),
      });
const chat = new ChatService({
  store,
  pictures: createPictureStore(place('pictures'), store.pictures, () => clock.now()),
  engine: engine ?? scriptedEngine,
  clock,
  log,
  emit(name, body) {
    // The contract pairs each name with its body; TypeScript does not follow a name into it.
    if (name === 'chat.reply') say({ kind: 'reply', message: body as ReplyMessage });
  },
});

function answer({ name, body }: Asked): unknown {
  switch (name) {
    case 'chat.send':
      return chat.send(body);
    case 'chat.edit':
      return chat.edit(body);
    case 'chat.regenerate':
      return chat.regenerate(body.turnId);
    case 'settings.set':
      return store.settings.set(body);
    case 'engine.restart':
      return void engine?.restart();
    default:
      return name satisfies never;
  }
}

process.on('message', (asked: Asked) => {
  try {
    say({ kind: 'answer', id: asked.id, value: answer(asked) ?? null });
  } catch (error) {
    say({ kind: 'refused', id: asked.id, reason: String(error) });
  }
});
// Whoever started it is gone.
process.on('disconnect', () => process.exit(1));
// It never ends in a way in which Node would keep it.
flushCompileCache();
say({ kind: 'open', streaming: streaming.count, notice: start.storage.notice });
if (engine === null) say({ kind: 'engine', state: 'ready', pid: null });
else engine.start();
