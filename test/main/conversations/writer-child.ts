// Writes conversations through the real services until it is killed, and says on stdout what is surely stored:
// a line is written only after the call that stored it has returned. See crash.test.ts.
import { writeSync } from 'node:fs';
import path from 'node:path';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { systemClock } from '../../../src/base/clock.ts';
import { openDatabase } from '../../../src/main/database/open.ts';
import { createStore } from '../../../src/main/database/store.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { createPictureStore } from '../../../src/main/pictures/store.ts';
import { drawnEvent, ScriptedEngine } from '../support/scripted-engine.ts';

const folder = process.argv[2]!;
const database = openDatabase({
  file: path.join(folder, 'textbind.db'),
  backupFolder: path.join(folder, 'backups'),
});
const store = createStore(database);
store.turns.interruptStreaming();
const engine = new ScriptedEngine();
const say = (line: unknown): void => void writeSync(1, `${JSON.stringify(line)}\n`);
const chat = new ChatService({
  store,
  pictures: createPictureStore(path.join(folder, 'pictures'), store.pictures),
  engine,
  clock: systemClock,
  log: silentLogger,
  emit(name, body) {
    if (name === 'chat.part') say({ part: body });
    if (name === 'chat.turn')
      say({ turn: (body as { turn: { id: string; status: string } }).turn });
  },
});
say('ready');
let conversationId: string | null = null;
for (let round = 0; ; round += 1) {
  const words = `round ${round} ${'word '.repeat(round % 50)}`;
  const sent = chat.send({ conversationId, parts: [{ kind: 'text', text: words }] });
  say({ sent: sent.turns.map(({ id }) => id), words });
  conversationId = round % 7 === 6 ? null : sent.conversation.id;
  const asked = await engine.next(engine.asked.length + 1);
  for (let piece = 0; piece < 20; piece += 1) await asked.emit({ kind: 'text', text: `${piece} ` });
  await asked.emit({ kind: 'caption-started' }, { kind: 'caption-finished', caption: 'a pear' });
  await asked.emit(drawnEvent('a pear', round % 256));
  await asked.emit({ kind: 'text', text: 'end' });
  await asked.end();
  await chat.idle();
}
