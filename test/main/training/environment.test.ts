// The trainer's environment over a Python that plays its part: a shell script that makes environments, has a pip that
// tells its progress, and answers the check.
import { chmodSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { silentLogger } from '../../../src/base/log.ts';
import { TrainerEnvironment } from '../../../src/main/training/environment.ts';
import type { TrainerStatus } from '../../../src/shared/domain/training.ts';
import { temporaryFolder } from './scripted.ts';

/** What pip installs is a file beside the environment's Python; the check finds it or does not. */
const script = `#!/bin/sh
here=$(dirname "$0")
echo "$@" >> "$here/asked"
case "$*" in
  *platform*) echo "$0"; echo 3.12.4 ;;
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" ;;
  "-m pip --version") test ! -e "$here/no-pip" ;;
  *"--upgrade pip") ;;
  "-m pip install"*)
    test ! -e "$WORLD/offline" || { echo "NewConnectionError: Failed to establish a new connection" >&2; exit 1; }
    echo "Collecting torch==2.13.0"
    echo "  Downloading torch-2.13.0-cp312-none-linux_x86_64.whl (191.1 MB)"
    echo "Progress 95550000 of 191100000"
    echo "Installing collected packages: torch"
    touch "$here/torch" "$here/faiss" ;;
  "-m textbind_trainer.selfcheck"*)
    test -e "$here/torch" || { echo "ModuleNotFoundError: No module named 'torch'" >&2; exit 1; }
    lacks='"faiss-cpu"'; test ! -e "$here/faiss" || lacks=
    echo "{\\"event\\":\\"verified\\",\\"time\\":1,\\"python\\":\\"3.12.4\\",\\"torch\\":\\"2.13.0\\",\\"device\\":\\"cpu\\",\\"gpus\\":[],\\"seconds\\":1,\\"lacks\\":[$lacks]}" ;;
  *) exit 9 ;;
esac
`;

function scripted() {
  const folder = temporaryFolder();
  const world = path.join(folder, 'world');
  mkdirSync(world);
  const base = path.join(world, 'python');
  writeFileSync(base, script.replaceAll('$WORLD', world));
  chmodSync(base, 0o755);
  const told: TrainerStatus[] = [];
  const open = () =>
    new TrainerEnvironment({
      folder: path.join(folder, 'environment'),
      requirements: path.join(world, 'requirements.txt'),
      code: () => world,
      model: world,
      log: silentLogger,
      onChange: (status) => void told.push(status),
    });
  const own = (name: string): string => path.join(folder, 'environment', 'python', 'bin', name);
  return { base, own, told, open, offline: path.join(world, 'offline') };
}

afterEach(() => vi.unstubAllEnvs());

describe.skipIf(process.platform === 'win32')('the environment of the trainer', () => {
  it('is made with what it does in words and figures, verified, and found again', async () => {
    const { base, own, told, open } = scripted();
    const made = await open().install(base, 'usual');
    expect(made).toMatchObject({ state: 'ready', isOwn: true, python: own('python') });
    expect(made.found).toMatchObject({ torch: '2.13.0', lacks: [] });
    const words = [...new Set(told.flatMap(({ progress }) => progress?.words ?? []))];
    expect(words).toEqual([
      'Looking for Python',
      'Making the environment',
      'Looking for pip',
      'Looking for torch',
      'Fetching torch, 191.1 MB',
      'Unpacking the packages',
      'Training one step, to see that it works',
    ]);
    expect(told.some(({ progress }) => progress?.fraction === 0.5)).toBe(true);
    expect(await open().status()).toMatchObject({ state: 'ready', isOwn: true });
    const removed = await open().remove();
    expect(removed).toMatchObject({ state: 'missing', python: null });
    expect(existsSync(own('python'))).toBe(false);
  });

  it('says what it lacks, and repair fetches it without making it anew', async () => {
    const { base, own, open } = scripted();
    await open().install(base, 'usual');
    rmSync(own('faiss'));
    const lacking = await open().verify();
    expect(lacking).toMatchObject({ state: 'ready', found: { lacks: ['faiss-cpu'] } });
    rmSync(own('torch'));
    const broken = await open().verify();
    expect(broken).toMatchObject({ state: 'broken', isOwn: true });
    expect(broken.message).toBe('It lacks the package torch.');
    writeFileSync(own('kept'), '');
    const repaired = await open().repair();
    expect(repaired).toMatchObject({ state: 'ready', message: null, found: { lacks: [] } });
    expect(existsSync(own('kept'))).toBe(true);
  });

  it('is made anew by repair where its pip does not start, and by nothing without a network', async () => {
    const { base, own, open, offline } = scripted();
    await open().install(base, 'cpu');
    expect(readFileSync(own('asked'), 'utf8')).toContain('--index-url https://download.pytorch');
    rmSync(own('torch'));
    await open().verify();
    writeFileSync(offline, '');
    const without = await open().repair();
    expect(without).toMatchObject({ state: 'broken', isOwn: true });
    expect(existsSync(own('python'))).toBe(true);
    rmSync(offline);
    writeFileSync(own('no-pip'), '');
    vi.stubEnv('PATH', `${path.dirname(base)}:${process.env['PATH']}`);
    const python3 = path.join(path.dirname(base), 'python3');
    writeFileSync(python3, readFileSync(base));
    chmodSync(python3, 0o755);
    expect(await open().repair()).toMatchObject({ state: 'ready', isOwn: true });
    expect(existsSync(own('no-pip'))).toBe(false);
    // The build stays what it was made with.
    expect(readFileSync(own('asked'), 'utf8')).toContain('--index-url https://download.pytorch');
  });

  it('without a network is missing, in words; what was half made is no environment', async () => {
    const { base, own, open, offline } = scripted();
    writeFileSync(offline, '');
    const failed = await open().install(base, 'usual');
    expect(failed.state).toBe('missing');
    expect(failed.message).toContain('The package index could not be reached.');
    expect(existsSync(own('python'))).toBe(true);
    expect((await open().status()).state).toBe('missing');
    rmSync(offline);
    expect(await open().install(base, 'usual')).toMatchObject({ state: 'ready' });
  });

  it('that a person chose is not repaired but verified, and forgotten without being deleted', async () => {
    const { base, open } = scripted();
    const environment = open();
    const refused = await environment.choose(base);
    expect(refused).toMatchObject({ state: 'broken', isOwn: false });
    expect(refused.message).toContain('Install the packages of the trainer');
    expect(() => environment.repair()).toThrow('Only what the app made itself can be repaired.');
    await environment.remove();
    expect(existsSync(base)).toBe(true);
  });
});
