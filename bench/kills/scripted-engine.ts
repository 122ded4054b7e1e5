// An engine that costs nothing: it says what a model might say, as fast as it can be stored, and draws pictures of a few
// bytes. What is proved with it is what main stores, not what an engine writes.
import { randomBytes } from 'node:crypto';
import { setTimeout as wait } from 'node:timers/promises';
import { deflateSync } from 'node:zlib';
import type { EngineClient } from '../../src/main/processes/engine-client.ts';
import type { WorkerReplyEvent } from '../../src/shared/contracts/reply-event.ts';
import type { WorkerReplyBody } from '../../src/shared/contracts/worker-protocol.ts';

const usage = {
  promptTokens: 1,
  replyTokens: 1,
  prefillSeconds: 0,
  decodeSeconds: 0,
  firstTokenSeconds: null,
  pictures: 0,
  drawSeconds: 0,
};

/** A PNG of one grey pixel that is like no other: its bytes end in words of chance. */
function pixel(): Uint8Array<ArrayBuffer> {
  const chunk = (type: string, data: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(data.length);
    // Nobody decodes it here: sums are left at zero.
    return Buffer.concat([length, Buffer.from(type, 'latin1'), data, Buffer.alloc(4)]);
  };
  const header = Buffer.from([0, 0, 0, 1, 0, 0, 0, 1, 8, 0, 0, 0, 0]);
  const bytes = Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.from([0, 127]))),
    chunk('tEXt', Buffer.from(`is\0${randomBytes(8).toString('hex')}`, 'latin1')),
    chunk('IEND', Buffer.alloc(0)),
  ]);
  return new Uint8Array(bytes);
}

const word = (): string => `${randomBytes(3).toString('hex')} `;

/** Words for a while, a caption with its picture now and then. */
async function* speech(): AsyncGenerator<WorkerReplyEvent> {
  const pieces = 5 + Math.floor(Math.random() * 60);
  for (let piece = 0; piece < pieces; piece += 1) {
    await wait(Math.random() * 12);
    yield { kind: 'text', text: word() };
    if (Math.random() > 0.04) continue;
    const caption = `a ${word()}of ${word()}`.trim();
    yield { kind: 'caption-started' };
    yield { kind: 'caption-text', text: caption };
    yield { kind: 'caption-finished', caption };
    await wait(Math.random() * 40);
    const picture = { kind: 'picture' as const, png: pixel(), width: 1, height: 1, caption };
    yield { ...picture, recipe, seconds: 0 };
  }
}

const recipe = { seed: 1, steps: 1, guidance: 1, model: 'scripted' };

/** Answers `chat.reply` and nothing else. */
export const scriptedEngine: EngineClient = {
  whenReady: () => Promise.resolve(),
  modelName: () => 'scripted',
  async request(name, _body, options) {
    if (name !== 'chat.reply') throw new Error(`${name} is not in the script`);
    const { onEvent, signal } = options ?? {};
    // The name was looked at; TypeScript does not narrow what it decides.
    const tell = onEvent as ((event: WorkerReplyEvent) => void) | undefined;
    for await (const event of speech()) {
      signal?.throwIfAborted();
      tell?.(event);
    }
    const reply: WorkerReplyBody<'chat.reply'> = { finish: 'end', usage };
    return reply as never;
  },
};
