import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { WrittenReply } from '../../src/cli/commands/chat.ts';
import type { WorkerReplyEvent } from '../../src/shared/contracts/reply-event.ts';
import { drawnEvent } from '../main/support/scripted-engine.ts';
import { temporaryFolder } from '../main/support/storage.ts';

const error = { kind: 'out-of-memory', message: 'No memory.', detail: null } as const;
const notice = { code: 'caption-cut', message: 'Cut.' } as const;

it('a reply becomes a turn of the TextBind schema, its pictures files beside it', async () => {
  const printed: string[] = [];
  const reply = new WrittenReply({
    json: false,
    text: (words) => void printed.push(words),
    progress: () => undefined,
    line: () => undefined,
    result: () => undefined,
  });
  const events: readonly WorkerReplyEvent[] = [
    { kind: 'text', text: 'See ' },
    { kind: 'text', text: 'here: ' },
    { kind: 'caption-started' },
    { kind: 'caption-text', text: 'an apple' },
    { kind: 'caption-finished', caption: 'an apple' },
    drawnEvent('an apple', 3),
    { kind: 'text', text: ' and ' },
    { kind: 'caption-finished', caption: 'a pear' },
    { kind: 'drawing-failed', caption: 'a pear', error },
    { kind: 'notice', notice },
    drawnEvent('a plum', 4),
  ];
  for (const event of events) reply.take(event);
  const out = temporaryFolder();
  // A name that the conversation has already is left alone.
  const turn = await reply.write(out, new Set(['drawn-1.png']));
  expect(turn).toEqual({
    role: 'assistant',
    content: 'See here: <image> and (a pear)<image>',
    image_list: ['drawn-1-2.png', 'drawn-2.png'],
    caption_list: ['an apple', 'a plum'],
  });
  expect(reply.notices).toEqual([notice]);
  expect(printed.join('')).toBe('See here: [an apple] and (a pear)[a plum]');
  for (const [index, shade] of [3, 4].entries()) {
    const file = join(out, turn.image_list[index]!);
    expect(readFileSync(file)).toEqual(Buffer.from(drawnEvent('', shade).png));
  }
  expect(existsSync(join(out, 'drawn-1.png'))).toBe(false);
});
