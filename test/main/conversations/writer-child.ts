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
import {
  applyReplyEvent,
  type Reply,
  type ReplyMessage,
} from '../../../src/shared/domain/reply.ts';
import type { Turn } from '../../../src/shared/domain/turn.ts';
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
/** What whoever hears every event has of each turn, and so what the disk must have after the events that promise it. */
const heard = new Map<string, Reply>();

function hear({ turnId, event }: ReplyMessage): void {
  const before = heard.get(turnId);
  const reply = before === undefined ? null : applyReplyEvent(before, event);
  if (event.kind === 'begun') {
    heard.set(turnId, event.reply);
    say({
      sent: [...event.turns, event.reply].map(({ id }) => id),
      words: wordsOf(event.turns[0]),
    });
  } else if (reply !== null) {
    heard.set(turnId, reply);
    if (event.kind === 'picture') {
      const partIndex = reply.parts.length - 1;
      say({ part: { turnId, partIndex } });
    } else if (event.kind === 'ended') {
      say({ turn: reply });
      heard.delete(turnId);
    }
  }
}

function wordsOf(turn: Turn | undefined): string {
  const [part] = turn?.parts ?? [];
  return part?.kind === 'text' ? part.text : '';
}

const chat = new ChatService({
  store,
  pictures: createPictureStore(path.join(folder, 'pictures'), store.pictures),
  engine,
  clock: systemClock,
  log: silentLogger,
  emit(name, body) {
    if (name === 'chat.reply') hear(body as ReplyMessage);
  },
});
say('ready');
let conversationId: string | null = null;
for (let round = 0; ; round += 1) {
  const words = `round ${round} ${'word '.repeat(round % 50)}`;
  const sent = chat.send({ conversationId, parts: [{ kind: 'text', text: words }] });
  conversationId = round % 7 === 6 ? null : sent.conversation.id;
  const asked = await engine.next(engine.asked.length + 1);
  for (let piece = 0; piece < 20; piece += 1) await asked.emit({ kind: 'text', text: `${piece} ` });
  await asked.emit({ kind: 'caption-started' }, { kind: 'caption-finished', caption: 'a pear' });
  await asked.emit(drawnEvent('a pear', round % 256));
  await asked.emit({ kind: 'text', text: 'end' });
  await asked.end();
  await chat.idle();
}
