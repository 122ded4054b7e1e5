import { describe, expect, test } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import type { Spawn } from '../../../src/main/processes/child.ts';
import { ladderMs } from '../../../src/main/processes/kill-ladder.ts';
import { Supervisor, supervision } from '../../../src/main/processes/supervisor.ts';
import type { WorkerClient } from '../../../src/main/processes/worker-client.ts';
import { FakeClock } from '../../support/fake-clock.ts';
import { createNodeSpawn, until } from '../support/node-spawn.ts';

function supervise(spawn: Spawn) {
  const clock = new FakeClock();
  const states: string[] = [];
  const clients: WorkerClient[] = [];
  const supervisor = new Supervisor({
    spawn,
    clock,
    log: silentLogger,
    onReady: (client) => clients.push(client),
    onChange() {
      const { state } = supervisor.status();
      if (states.at(-1) !== state) states.push(state);
    },
  });
  const reaches = (state: string): Promise<void> =>
    until(() => supervisor.status().state === state, state);
  const runs = async (): Promise<void> => {
    supervisor.start();
    await reaches('running');
  };
  /** Time passes, with a chance for every ping. */
  const silence = (ms: number): void => {
    for (let passed = 0; passed < ms; passed += supervision.pingEveryMs) {
      clock.advance(supervision.pingEveryMs);
    }
  };
  return { supervisor, clock, states, clients, reaches, runs, silence };
}

const gone = (pid: number | undefined): boolean => {
  try {
    process.kill(pid!, 0);
    return false;
  } catch {
    return true;
  }
};

const kill = (pid: number | undefined): void => void process.kill(pid!, 'SIGKILL');

describe('the supervisor', () => {
  test('starts a worker, and ends it when asked', async () => {
    const { supervisor, states, runs } = supervise(createNodeSpawn());
    await runs();
    const pid = supervisor.pid();
    await supervisor.close();
    expect(states).toEqual(['starting', 'running', 'stopped']);
    expect(gone(pid)).toBe(true);
  });

  test('SIGKILL: says so, fails what is in flight, and starts anew after the back-off', async () => {
    const { supervisor, clock, clients, reaches, runs } = supervise(createNodeSpawn());
    await runs();
    const asked = clients[0]!.request('chat.reply', {
      turns: [{ role: 'user', parts: [{ kind: 'text', text: '/long' }] }],
      sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens: 10, seed: null },
      drawing: { steps: 1, guidance: 1, negative: '', seed: null, enabled: true },
    });
    kill(supervisor.pid());
    await expect(asked).rejects.toMatchObject({ kind: 'worker-crashed' });
    await reaches('crashed');
    expect(supervisor.status()).toMatchObject({
      restartInMs: supervision.backOffMs[0],
      crashes: 1,
      reason: expect.stringContaining('SIGKILL') as unknown,
    });
    clock.advance(supervision.backOffMs[0] - 1);
    expect(supervisor.status().state).toBe('crashed');
    clock.advance(1);
    await reaches('running');
    expect(clients).toHaveLength(2);
    await expect(clients[1]!.request('ping', null)).resolves.toBeNull();
    await supervisor.close();
  });

  test('three crashes in five minutes: halted until a person asks', async () => {
    const { supervisor, clock, states, reaches } = supervise(
      createNodeSpawn(['dead', 'dead', 'dead', '']),
    );
    supervisor.start();
    await reaches('crashed');
    expect(supervisor.status().reason).toBe(
      'The engine ended with code 3: cannot open shared object file: libdead.so',
    );
    clock.advance(supervision.backOffMs[0]);
    await until(
      () => supervisor.status().crashes === 2 && supervisor.status().state === 'crashed',
      '2',
    );
    clock.advance(supervision.backOffMs[1]);
    await reaches('halted');
    clock.advance(60 * 60_000);
    expect(supervisor.status()).toMatchObject({ state: 'halted', restartInMs: null, crashes: 3 });
    await supervisor.restart();
    await reaches('running');
    expect(supervisor.status()).toMatchObject({ crashes: 0, reason: null });
    expect(states).toEqual([
      'starting',
      'crashed',
      'starting',
      'crashed',
      'starting',
      'halted',
      'starting',
      'running',
    ]);
    await supervisor.close();
  });

  test('crashes further apart than the window are forgotten', async () => {
    const { supervisor, clock, reaches } = supervise(createNodeSpawn());
    supervisor.start();
    for (let crash = 0; crash < 4; crash += 1) {
      await reaches('running');
      kill(supervisor.pid());
      await reaches('crashed');
      expect(supervisor.status().crashes).toBe(1);
      clock.advance(supervision.backOffMs[0]);
      await reaches('running');
      // Pings are answered by the real worker while the fake clock moves on.
      for (let ms = 0; ms <= supervision.crashWindowMs; ms += supervision.pingEveryMs) {
        clock.advance(supervision.pingEveryMs);
        if (ms % (4 * supervision.pingEveryMs) === 0) await settle();
      }
    }
    await supervisor.close();
  });

  test('a worker that never says ready is ended at the deadline', async () => {
    const { supervisor, clock, reaches } = supervise(createNodeSpawn(['silent']));
    supervisor.start();
    clock.advance(supervision.readyMs - 1);
    expect(supervisor.status().state).toBe('starting');
    clock.advance(1);
    await reaches('crashed');
    expect(supervisor.status().reason).toBe('The engine was not ready after 60 s.');
    await supervisor.close();
  });

  test('one that cannot even be spawned is a crash with its reason', () => {
    const { supervisor } = supervise(() => {
      throw new Error('no such file');
    });
    supervisor.start();
    expect(supervisor.status()).toMatchObject({
      state: 'crashed',
      reason: 'The engine could not be started: no such file',
    });
  });

  test('an idle worker that is stopped: unresponsive, then well again when it answers', async () => {
    const { supervisor, states, reaches, runs, silence } = supervise(createNodeSpawn());
    await runs();
    process.kill(supervisor.pid()!, 'SIGSTOP');
    silence(supervision.silentIdleMs + supervision.pingEveryMs);
    expect(supervisor.status()).toMatchObject({
      state: 'unresponsive',
      reason: 'The engine has not answered for 25 s.',
    });
    process.kill(supervisor.pid()!, 'SIGCONT');
    await reaches('running');
    expect(states).toEqual(['starting', 'running', 'unresponsive', 'running']);
    await supervisor.close();
  });

  test('an idle worker that stays silent is ended, and started anew', async () => {
    const { supervisor, clock, reaches, runs, silence } = supervise(createNodeSpawn());
    await runs();
    process.kill(supervisor.pid()!, 'SIGSTOP');
    silence(supervision.killIdleMs + supervision.pingEveryMs);
    await reaches('crashed');
    expect(supervisor.status().reason).toMatch(/did not answer for \d+ s/);
    clock.advance(supervision.backOffMs[0]);
    await reaches('running');
    await supervisor.close();
  });

  test('a worker that works may be silent for longer', async () => {
    const { supervisor, clients, runs, silence } = supervise(createNodeSpawn());
    await runs();
    const asked = clients[0]!.request('draw', {
      caption: 'x',
      drawing: { steps: 1, guidance: 1, negative: '', seed: null, enabled: true },
    });
    asked.catch(() => undefined);
    process.kill(supervisor.pid()!, 'SIGSTOP');
    silence(supervision.silentBusyMs);
    expect(supervisor.status().state).toBe('running');
    silence(2 * supervision.pingEveryMs);
    expect(supervisor.status().state).toBe('unresponsive');
    process.kill(supervisor.pid()!, 'SIGCONT');
    await expect(asked).resolves.toMatchObject({ kind: 'picture' });
    await supervisor.close();
  });

  test('a worker that works and does not follow Stop is told of, and ended, as if it were idle', async () => {
    const { supervisor, clients, states, reaches, runs, silence } = supervise(createNodeSpawn());
    await runs();
    const stop = new AbortController();
    const body = {
      caption: 'x',
      drawing: { steps: 1, guidance: 1, negative: '', seed: null, enabled: true },
    };
    const asked = clients[0]!.request('draw', body, { signal: stop.signal });
    asked.catch(() => undefined);
    process.kill(supervisor.pid()!, 'SIGSTOP');
    // So long that it would be ended at once, were the silence before Stop counted.
    silence(supervision.killIdleMs + supervision.pingEveryMs);
    stop.abort();
    silence(supervision.silentIdleMs);
    expect(states).toEqual(['starting', 'running']);
    silence(supervision.pingEveryMs);
    expect(supervisor.status().state).toBe('unresponsive');
    silence(supervision.killIdleMs);
    await reaches('crashed');
    expect(supervisor.status().reason).toContain('did not answer for');
    await supervisor.close();
  });

  test('a machine that slept is no reason to end the worker', async () => {
    const { supervisor, clock, runs } = supervise(createNodeSpawn());
    await runs();
    process.kill(supervisor.pid()!, 'SIGSTOP');
    clock.sleep(8 * 60 * 60_000);
    expect(supervisor.status().state).toBe('running');
    process.kill(supervisor.pid()!, 'SIGCONT');
    await supervisor.close();
  });

  test('a clock set back does not hide that the worker is silent', async () => {
    const { supervisor, clock, runs, silence } = supervise(createNodeSpawn());
    await runs();
    process.kill(supervisor.pid()!, 'SIGSTOP');
    clock.set(-60 * 60_000);
    silence(supervision.silentIdleMs + supervision.pingEveryMs);
    expect(supervisor.status().state).toBe('unresponsive');
    process.kill(supervisor.pid()!, 'SIGCONT');
    await supervisor.close();
  });

  test('restart while it runs ends the old one first, and counts no crash', async () => {
    const spawn = createNodeSpawn();
    const { supervisor, reaches, runs } = supervise(spawn);
    await runs();
    const old = supervisor.pid();
    await supervisor.restart();
    await reaches('running');
    expect(supervisor.pid()).not.toBe(old);
    expect(gone(old)).toBe(true);
    expect(supervisor.status().crashes).toBe(0);
    expect(spawn.children).toHaveLength(2);
    await supervisor.close();
  });
});

describe('the kill ladder', () => {
  test.each([
    ['a worker that listens needs no signal', '', []],
    ['a deaf one gets SIGTERM', 'deaf', ['SIGTERM']],
    ['a stubborn one gets SIGKILL', 'stubborn', ['SIGTERM', 'SIGKILL']],
  ])('%s', async (_name, trait, expected) => {
    const spawn = createNodeSpawn([trait]);
    const signals: string[] = [];
    const watched: Spawn = () => {
      const child = spawn();
      return { ...child, kill: (signal) => (signals.push(signal), child.kill(signal)) };
    };
    const { supervisor, clock, runs } = supervise(watched);
    await runs();
    const pid = supervisor.pid();
    let closed = false;
    const closing = supervisor.close().then(() => (closed = true));
    if (expected.length > 0) await settle();
    while (!closed && signals.length < expected.length) {
      clock.advance(Math.max(ladderMs.ask, ladderMs.term));
      await settle();
    }
    await closing;
    expect(signals).toEqual(expected);
    expect(gone(pid)).toBe(true);
  });
});

const settle = (): Promise<void> => new Promise((resolve) => setTimeout(resolve, 100));
