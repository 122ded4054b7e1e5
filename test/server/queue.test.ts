import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FairQueue, mostWaiting } from '../../src/server/queue.ts';

const never = new AbortController().signal;

/** Lets those whose turn it is begin. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

/** Asks in this order, then serves one after the other; gives the order in which they were served. */
async function serveAll(clients: readonly string[]): Promise<string[]> {
  const queue = new FairQueue();
  const served: string[] = [];
  await Promise.all(
    clients.map(async (client, index) => {
      const done = await queue.enter(client, never);
      served.push(`${client}${index}`);
      await settle();
      done();
    }),
  );
  expect(queue.state).toEqual({ active: false, waiting: 0 });
  return served;
}

describe('the line', () => {
  it('lets clients take turns, and keeps the order of each', async () => {
    expect(await serveAll(['a', 'a', 'a', 'b', 'c', 'b'])).toEqual([
      ...['a0', 'a1', 'b3', 'c4', 'a2', 'b5'],
    ]);
  });

  it('never lets anybody wait for more than one of each other client', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.constantFrom('a', 'b', 'c', 'd'), { maxLength: 40 }),
        async (clients) => {
          const served = await serveAll(clients);
          expect([...served].sort()).toEqual(clients.map((client, i) => `${client}${i}`).sort());
          for (const client of new Set(clients)) {
            const own = served.flatMap((name, at) => (name.startsWith(client) ? [at] : []));
            // Between two of its own no other client comes twice; the very first began before anyone else stood there.
            for (const [index, at] of own.entries()) {
              const from = index === 0 ? 0 : own[index - 1]! + 1;
              const between = served.slice(Math.max(from, 1), at).map((name) => name[0]);
              expect(new Set(between).size).toBe(between.length);
            }
          }
        },
      ),
    );
  });

  it('forgets who leaves, and tells the others their places', async () => {
    const queue = new FairQueue();
    const done = await queue.enter('a', never);
    const leaving = new AbortController();
    const places: number[] = [];
    const gone = queue.enter('b', leaving.signal);
    const stays = queue.enter('c', never, (before) => places.push(before));
    leaving.abort();
    await expect(gone).rejects.toMatchObject({ kind: 'cancelled' });
    expect(queue.state).toEqual({ active: true, waiting: 1 });
    done();
    (await stays)();
    expect(places).toEqual([2, 1]);
    await expect(queue.enter('d', AbortSignal.abort())).rejects.toMatchObject({
      kind: 'cancelled',
    });
  });

  it('is full at some point', async () => {
    const queue = new FairQueue();
    const leaving = new AbortController();
    const all = Array.from({ length: mostWaiting + 1 }, () => queue.enter('a', leaving.signal));
    await expect(queue.enter('b', never)).rejects.toMatchObject({ status: 429 });
    leaving.abort();
    const [first, ...rest] = await Promise.allSettled(all);
    expect(first?.status).toBe('fulfilled');
    expect(rest.every(({ status }) => status === 'rejected')).toBe(true);
    expect(queue.state.waiting).toBe(0);
  });
});
