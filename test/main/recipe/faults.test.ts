// What a server may do wrong, and what a person learns of it.
import { describe, expect, it } from 'vitest';
import type { Clock } from '../../../src/base/clock.ts';
import { planGroups } from '../../../src/main/recipe/groups.ts';
import { isStudioError } from '../../../src/shared/errors.ts';
import { hastyClock, openLooked, planOf, startServer, temporaryFolder } from './support.ts';

/** Also says how long was waited. */
function countingClock(): { readonly clock: Clock; readonly waits: number[] } {
  const waits: number[] = [];
  const after: Clock['after'] = (delayMs, callback) => {
    waits.push(delayMs);
    return hastyClock.after(delayMs, callback);
  };
  return { clock: { ...hastyClock, after }, waits };
}

describe('a server', () => {
  it('that is not there stops it, and says what to do; it goes on when it is there', async () => {
    const server = await startServer();
    const { recipe } = openLooked(temporaryFolder(), {
      ...planOf(server),
      writer: { kind: 'server', address: 'http://127.0.0.1:9/v1', model: 'm' },
    });
    await recipe.write('http://127.0.0.1:9/v1', null);
    const { trouble, counts } = recipe.view();
    expect(trouble?.message).toMatch(
      /^http:\/\/127\.0\.0\.1:9\/v1 does not answer: .*ECONNREFUSED/,
    );
    expect(trouble?.remedy).toMatch(/server runs/);
    expect(counts.toWrite).toBe(6);
    recipe.change({ writer: planOf(server).writer });
    await recipe.write(server.address, null);
    expect(recipe.view()).toMatchObject({ trouble: null, counts: { toReview: 6 } });
  });

  it('that wants a key gets the one kept for it, and no other server does', async () => {
    const [server, other] = [await startServer(), await startServer()];
    server.key = 'sk-right';
    const folder = temporaryFolder();
    const { recipe, writerKeys } = openLooked(folder, planOf(server));
    await recipe.write(server.address, null);
    expect(recipe.view().trouble?.message).toMatch(/401: Incorrect API key provided/);
    expect(recipe.view().trouble?.remedy).toMatch(/key/);
    expect(server.asked).toHaveLength(1);
    writerKeys.of(server.address).set('sk-right');
    await recipe.write(server.address, null);
    expect(recipe.view().counts.toReview).toBe(6);
    recipe.change({
      writer: planOf(other).writer,
      settings: { ...recipe.plan.settings, count: 8 },
    });
    await recipe.write(other.address, null);
    expect(other.asked.map(({ authorization }) => authorization)).toEqual([null, null]);
  });

  it('that asks to wait is waited for as long as it says, by all that ask', async () => {
    const server = await startServer();
    server.script = (request) =>
      request < 2 ? { kind: 'status', status: 429, retryAfter: '7', message: 'slow down' } : null;
    const { clock, waits } = countingClock();
    const { recipe } = openLooked(temporaryFolder(), planOf(server, { atOnce: 2 }), clock);
    await recipe.write(server.address, null);
    expect(recipe.view()).toMatchObject({
      trouble: null,
      waitsUntil: null,
      counts: { toReview: 6 },
    });
    expect(waits.length).toBeGreaterThan(0);
    for (const wait of waits) expect(wait).toBeLessThanOrEqual(7000);
    expect(Math.max(...waits)).toBeGreaterThan(3000);
  });

  it('that asks to wait until a date an hour from now stops it', async () => {
    const server = await startServer();
    const retryAfter = new Date(Date.now() + 3_600_000).toUTCString();
    server.script = () => ({ kind: 'status', status: 429, retryAfter });
    const { recipe } = openLooked(temporaryFolder(), planOf(server));
    await recipe.write(server.address, null);
    expect(server.asked).toHaveLength(1);
    expect(recipe.view().trouble?.remedy).toMatch(/takes no more requests for now/);
  });

  it('with passing trouble is asked again, with lasting trouble it stops', async () => {
    const server = await startServer();
    server.script = (request) =>
      request % 3 === 0
        ? { kind: 'drop' }
        : request % 3 === 1
          ? { kind: 'status', status: 503 }
          : null;
    const { recipe } = openLooked(temporaryFolder(), planOf(server));
    await recipe.write(server.address, null);
    expect(recipe.view()).toMatchObject({ trouble: null, counts: { toReview: 6 } });
    server.script = () => ({ kind: 'status', status: 502, message: 'bad gateway' });
    recipe.change({ settings: { ...recipe.plan.settings, count: 7 } });
    await recipe.write(server.address, null);
    expect(recipe.view().trouble?.message).toMatch(/502: bad gateway/);
    expect(recipe.view().counts).toMatchObject({ toReview: 6, toWrite: 1 });
  });

  it.each([
    [404, 'The model `m` does not exist', /\/v1/],
    [402, 'no credit', /credit/],
    [400, 'max_tokens is too large', /request/],
  ])('that answers %i stops it at once, with its words', async (status, message, remedy) => {
    const server = await startServer();
    server.script = () => ({ kind: 'status', status, message });
    const { recipe } = openLooked(temporaryFolder(), planOf(server));
    await recipe.write(server.address, null);
    expect(server.asked).toHaveLength(1);
    expect(recipe.view().trouble?.message).toContain(message);
    expect(recipe.view().trouble?.remedy).toMatch(remedy);
  });

  it('over plain http is asked in a private network, and nowhere else', async () => {
    const server = await startServer();
    const plan = planOf(server);
    const address = 'http://example.org/v1';
    const { recipe } = openLooked(temporaryFolder(), {
      ...plan,
      writer: { kind: 'server', address, model: 'm' },
    });
    await recipe.write(address, null);
    expect(recipe.view().trouble?.message).toMatch(/https only/);
  });
});

describe('groups', () => {
  const plan = { of: [0, 0, 0, 1, 1, 2], without: new Set<number>(), least: 2, most: 3, seed: 5 };

  it('are the same for the same seed, and a longer plan begins with a shorter one', () => {
    const ten = planGroups({ ...plan, count: 10 });
    expect(planGroups({ ...plan, count: 30 }).slice(0, 10)).toEqual(ten);
    expect(planGroups({ ...plan, count: 10, seed: 6 })).not.toEqual(ten);
    for (const group of ten) {
      expect(new Set(group.map((picture) => plan.of[picture])).size).toBe(1);
      expect(new Set(group).size).toBe(group.length);
      expect(group).not.toContain(5);
    }
  });

  it('are refused where no cluster has enough pictures', () => {
    expect(() => planGroups({ ...plan, least: 4, most: 4, count: 1 })).toThrow(
      expect.toSatisfy((error) => isStudioError(error, 'bad-input')),
    );
  });
});
