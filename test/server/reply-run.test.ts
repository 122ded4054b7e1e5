// A reply whose engine is wanted back, with requests to the engine looked at one by one.
import { describe, expect, it } from 'vitest';
import { shareEngine } from '../../src/main/processes/shared-engine.ts';
import { HeldPictures } from '../../src/server/pictures.ts';
import { runReply } from '../../src/server/reply-run.ts';
import { createServedEngine } from '../../src/server/served-engine.ts';
import type { WorkerReplyEvent } from '../../src/shared/contracts/reply-event.ts';
import type { PromptTurn, WorkerRequestBody } from '../../src/shared/contracts/worker-protocol.ts';
import { drawingSchema, samplingSchema } from '../../src/shared/domain/settings.ts';
import { PlannedEngine } from '../main/support/planned-engine.ts';
import { until } from '../main/support/node-spawn.ts';
import { temporaryFolderForAll } from '../support/temporary-folder.ts';

const folder = temporaryFolderForAll();

const question: PromptTurn = { role: 'user', parts: [{ kind: 'text', text: 'Tell me' }] };
const sampling = samplingSchema.parse({ maxNewTokens: 100 });
const drawing = drawingSchema.parse({});

function setUp() {
  const planned = new PlannedEngine();
  const shared = shareEngine(planned, planned);
  const engine = createServedEngine({
    engine: { whenReady: (signal) => planned.whenReady(signal), status: () => ({ model: null }) },
    shared,
    checkPicture: async () => undefined,
    defaults: () => ({ sampling, drawing }),
  });
  const events: WorkerReplyEvent[] = [];
  const leaving = new AbortController();
  const pictures = new HeldPictures(folder);
  const start = () =>
    runReply({
      engine,
      conversation: { system: 'Be kind', turns: [question] },
      plan: { sampling, drawing, wish: undefined, stop: [] },
      holder: pictures.holder(),
      emit: (event) => events.push(event),
      signal: leaving.signal,
    });
  const replies = () =>
    planned.asked.flatMap(({ name, body }) =>
      name === 'chat.reply' ? [body as WorkerRequestBody<'chat.reply'>] : [],
    );
  const own = () => shared.own.request('chat.reply', { turns: [question], sampling, drawing }, {});
  return { planned, shared, events, start, replies, own, leaving };
}

describe('a reply whose engine is wanted back', () => {
  it('goes on behind what was said, with what is left of its tokens', async () => {
    const { planned, events, start, replies, own } = setUp();
    planned.plans.push({ says: 'Once upon', ends: 'hang' }, { says: 'mine' }, { says: ' a time.' });
    const run = start();
    await until(() => events.length > 0, 'it speaks');
    await own();
    const { finish, usage } = await run;
    expect(finish).toBe('end');
    expect(events.map((event) => (event.kind === 'text' ? event.text : event.kind)).join('|')).toBe(
      'Once upon| a time.',
    );
    const [first, , second] = replies();
    expect(first).toMatchObject({ system: 'Be kind', turns: [question] });
    expect(second?.turns).toEqual([
      question,
      { role: 'assistant', parts: [{ kind: 'text', text: 'Once upon' }] },
    ]);
    const written = first!.sampling.maxNewTokens - second!.sampling.maxNewTokens;
    expect(written).toBeGreaterThan(0);
    expect(usage?.replyTokens).toBe(2 * written);
  });

  it('keeps its pictures in their places', async () => {
    const { planned, events, start, replies, own } = setUp();
    planned.plans.push({ says: 'Look: [a cat] there', ends: 'hang' }, {}, { says: '.' });
    const run = start();
    await until(() => events.some((event) => event.kind === 'text' && event.text === ' there'), '');
    await own();
    await run;
    expect(replies()[2]?.turns.at(-1)?.parts).toMatchObject([
      { kind: 'text', text: 'Look: ' },
      { kind: 'picture', caption: 'a cat' },
      { kind: 'text', text: ' there' },
    ]);
  });

  it('waits while the owner works, and does not begin before', async () => {
    const { planned, shared, start, replies, own } = setUp();
    planned.plans.push({ ends: 'hang' }, { says: 'later' });
    const stop = new AbortController();
    const owners = shared.own.request(
      'chat.reply',
      { turns: [question], sampling, drawing },
      { signal: stop.signal },
    );
    expect(shared.isOwnersTurn()).toBe(true);
    const run = start();
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(replies()).toHaveLength(1);
    stop.abort();
    await owners;
    expect((await run).finish).toBe('end');
    expect(shared.isOwnersTurn()).toBe(false);
    void own;
  });

  it('ends where the client goes, and passes errors on', async () => {
    const { planned, events, start, leaving } = setUp();
    planned.plans.push({ says: 'So', ends: 'hang' });
    const run = start();
    await until(() => events.length > 0, 'it speaks');
    leaving.abort();
    expect((await run).finish).toBe('cancelled');
    const failing = setUp();
    failing.planned.plans.push({ ends: 'fail' });
    await expect(failing.start()).rejects.toMatchObject({ kind: 'out-of-memory' });
  });
});
