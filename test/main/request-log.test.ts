import { onTestFinished, expect, test } from 'vitest';
import { silentLogger, type LogFields, type Logger } from '../../src/base/log.ts';
import { systemClock } from '../../src/base/clock.ts';
import { createMainHalf } from '../support/main-half.ts';
import { createScriptedWorkers } from '../support/scripted-worker.ts';
import { temporaryFolder } from './support/storage.ts';

test('one line joins the conversation, the turn and the request to the worker', async () => {
  const lines: { readonly message: string; readonly fields: LogFields | undefined }[] = [];
  const log: Logger = {
    ...silentLogger,
    info: (message, fields) => void lines.push({ message, fields }),
  };
  const { spawn } = createScriptedWorkers(0);
  const main = createMainHalf({ folder: temporaryFolder(), spawn, clock: systemClock, log });
  onTestFinished(() => main.close());
  main.engine.start();
  const { chat } = main.services;
  const parts = [{ kind: 'text' as const, text: 'Draw a pear' }];
  const { conversation, turnId } = chat.send({ conversationId: null, parts });
  await chat.idle();
  chat.redraw({ turnId, partIndex: 1, caption: 'a red pear', seed: 7 });
  await chat.idle();
  const about = { conversation: conversation.id, turn: turnId };
  for (const name of ['chat.reply', 'draw']) {
    const asked = lines.filter(
      ({ message, fields }) => message === 'request' && fields?.['name'] === name,
    );
    expect(asked).toEqual([
      {
        message: 'request',
        fields: { request: expect.stringMatching(/^r\d+$/) as unknown, name, ...about },
      },
    ]);
    // By the request's id, what came of it is found.
    const { request } = asked[0]!.fields!;
    expect(lines).toContainEqual({
      message: 'reply',
      fields: { request, name, ms: expect.any(Number) as unknown },
    });
  }
});
