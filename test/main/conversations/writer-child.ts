// Writes conversations through the real services until it is killed, and says on stdout what is surely stored:
// a line is written only after the call that stored it has returned. See crash.test.ts.
import { writeSync } from 'node:fs';
import path from 'node:path';
import { ChatService } from '../../../src/main/conversations/chat-service.ts';
import { VersionService } from '../../../src/main/conversations/version-service.ts';
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
    if (event.turns.length === 0) return;
    say({
      sent: [...event.turns, event.reply].map(({ id }) => id),
      words: wordsOf(event.turns[0]),
    });
  } else if (reply !== null) {
    heard.set(turnId, reply);
    if (event.kind === 'picture') {
      say({ part: { turnId, part: { kind: 'picture', picture: event.picture } } });
    } else if (event.kind === 'ended') {
      // A version that said nothing is not kept.
      if (reply.parts.length > 0) say({ turn: reply });
      heard.delete(turnId);
    }
  }
}

function wordsOf(turn: Turn | undefined): string {
  const [part] = turn?.parts ?? [];
  return part?.kind === 'text' ? part.text : '';
}

const deps = {
  store,
  pictures: createPictureStore(path.join(folder, 'pictures'), store.pictures),
  engine,
  clock: systemClock,
  log: silentLogger,
  emit(name, body) {
    if (name === 'chat.reply') hear(body as ReplyMessage);
  },
} satisfies ConstructorParameters<typeof ChatService>[0];
const chat = new ChatService(deps);
const versions = new VersionService(deps, chat);
say('ready');

type Asked = Awaited<ReturnType<typeof engine.next>>;
const next = (): Promise<Asked> => engine.next(engine.asked.length + 1);

/** The message that a reply answers. */
function messageOf(replyId: string): string {
  return store.turns.find(replyId)!.parentId!;
}

/** The model's answer: words and a drawing. */
async function answer(asked: Asked, round: number): Promise<void> {
  for (let piece = 0; piece < 8; piece += 1) await asked.emit({ kind: 'text', text: `${piece} ` });
  await asked.emit({ kind: 'caption-started' }, { kind: 'caption-finished', caption: 'a pear' });
  await asked.emit(drawnEvent('a pear', round % 256));
  await asked.emit({ kind: 'text', text: 'end' });
  await asked.end();
  await chat.idle();
}

let conversationId: string | null = null;
for (let round = 0; ; round += 1) {
  const words = `round ${round} ${'word '.repeat(round % 50)}`;
  const sent = chat.send({ conversationId, parts: [{ kind: 'text', text: words }] });
  await answer(await next(), round);
  const reply = sent.turnId;
  const message = messageOf(reply);

  // Every way to another version, each of which must leave the ones before.
  chat.regenerate(reply);
  await answer(await next(), round + 1);
  versions.choose(reply);
  chat.redraw({ turnId: reply, partIndex: 1, caption: 'a plum', seed: null });
  await (await next()).reply(drawnEvent('a plum', (round + 2) % 256));
  await chat.idle();
  chat.regenerate(reply);
  const stopped = await next();
  chat.stop(sent.conversation.id);
  await stopped.end('cancelled');
  await chat.idle();
  versions.chooseDrawing({ turnId: reply, partIndex: 1, index: 0 });
  const edited = `edited ${words}`;
  const branch = chat.edit({ turnId: message, parts: [{ kind: 'text', text: edited }] });
  await answer(await next(), round + 3);
  const branched = messageOf(branch.turnId);
  const { deletionId } = versions.delete(branched);
  if (round % 3 > 0) versions.restore(deletionId);
  else say({ deleted: [branched, branch.turnId] });
  conversationId = round % 3 === 2 ? null : sent.conversation.id;
}
