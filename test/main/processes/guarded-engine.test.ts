import { describe, expect, test } from 'vitest';
import type { WorkerEventBody } from '../../../src/shared/contracts/worker-protocol.ts';
import { StudioError } from '../../../src/shared/errors.ts';
import { guardEngine } from '../../../src/main/processes/guarded-engine.ts';
import { ScriptedEngine } from '../support/scripted-engine.ts';

const sampling = { temperature: 0, topK: 0, topP: 1, maxNewTokens: 8, seed: null } as never;
const drawing = { enabled: false } as never;

function guarded() {
  const engine = new ScriptedEngine();
  const asked: string[] = [];
  const bad = new Set(['/bad']);
  const decoder = {
    async check(source: Uint8Array | string, _name: string, signal?: AbortSignal) {
      asked.push(String(source));
      if (signal?.aborted === true) throw new StudioError('cancelled', 'stopped');
      if (bad.has(String(source))) throw new StudioError('bad-input', 'broken');
    },
    close: () => undefined,
  };
  const events: WorkerEventBody<'chat.reply'>[] = [];
  const guard = guardEngine(engine, decoder);
  const reply = (...paths: (string | null)[]) =>
    guard.request(
      'chat.reply',
      {
        turns: [
          {
            role: 'user',
            parts: paths.map((path) =>
              path === null
                ? { kind: 'text', text: 'What?' }
                : { kind: 'picture', path, caption: null },
            ),
          },
        ],
        sampling,
        drawing,
      },
      { onEvent: (event) => events.push(event) },
    );
  return { engine, asked, bad, events, reply, guard };
}

describe('the guarded engine', () => {
  test('leaves out what does not decode, with a notice, and looks again the next time', async () => {
    const { engine, asked, bad, events, reply } = guarded();
    const first = reply('/good', null, '/bad');
    const request = await engine.next(1);
    expect(request.body).toMatchObject({
      turns: [{ parts: [{ path: '/good' }, { kind: 'text', text: 'What?' }] }],
    });
    expect(events).toMatchObject([{ kind: 'notice', notice: { code: 'picture-unreadable' } }]);
    await request.end();
    await first;
    bad.clear();
    const second = reply('/good', null, '/bad');
    const again = await engine.next(2);
    expect(again.body).toMatchObject({ turns: [{ parts: [{}, {}, { path: '/bad' }] }] });
    await again.end();
    await second;
    expect(asked).toEqual(['/good', '/bad', '/bad']);
    expect(events).toHaveLength(1);
  });

  test('a message that is nothing but such a picture still asks for an answer', async () => {
    const { engine, reply } = guarded();
    const first = reply('/bad');
    const request = await engine.next(1);
    expect(request.body).toMatchObject({ turns: [{ role: 'user', parts: [{ kind: 'undrawn' }] }] });
    await request.end();
    await first;
  });
});
