// What some faults need of the machine, and why they are left out where it is not there.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { until } from '../app/app.ts';

/** Something that a fault needs, or why it cannot be had. */
export type Means<Thing> = { readonly thing: Thing } | { readonly missing: string };

/** A small disk under a folder, where this user may have one; the thing takes it away. */
export function mountSmallDisk(folder: string): Means<() => void> {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=700', 'tmpfs', folder], {
      stdio: 'pipe',
    });
  } catch (error) {
    const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
    return { missing: `no small disk: ${reason}` };
  }
  let mounted = true;
  const unmount = (): void => {
    if (mounted) execFileSync('umount', ['--lazy', folder]);
    mounted = false;
  };
  process.on('exit', unmount);
  return { thing: unmount };
}

/** A clock of the app's own that can be set. */
export interface OwnClock {
  readonly environment: Readonly<Record<string, string>>;
  /** @param shift as faketime reads it: `+40d`, `-400d`, `+0` */
  set(shift: string): void;
}

const faketime = [
  '/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib/aarch64-linux-gnu/faketime/libfaketimeMT.so.1',
  '/usr/lib64/faketime/libfaketimeMT.so.1',
].find(existsSync);

/**
 * By libfaketime, which lays itself between a program and the machine's clock. The monotonic clock stays as it is: no
 * system sets that back.
 */
export function ownClock(folder: string): Means<OwnClock> {
  if (faketime === undefined) return { missing: 'no libfaketime (Debian: libfaketime)' };
  const file = path.join(folder, 'clock');
  const set = (shift: string): void => writeFileSync(file, `${shift}\n`);
  set('+0');
  return {
    thing: {
      set,
      environment: {
        LD_PRELOAD: faketime,
        FAKETIME_TIMESTAMP_FILE: file,
        FAKETIME_CACHE_DURATION: '1',
        FAKETIME_DONT_FAKE_MONOTONIC: '1',
      },
    },
  };
}

/** Makes a process wait for its disk. @returns what lets it go */
export type SlowDisk = (pid: number) => Promise<() => Promise<void>>;

/** How long a write waits, and how long until the disk says that it has it. Microseconds. */
const waits = { write: 20_000, sync: 300_000 } as const;

/** By strace, which holds the calls of a running program; some systems let nobody but a parent do that. */
export function slowDisk(): Means<SlowDisk> {
  const trial = spawnSync('sh', ['-c', 'sleep 5 & timeout 1 strace -qq -p $!; kill $!'], {
    encoding: 'utf8',
  });
  if (trial.error || /not found|not permitted/.test(trial.stderr))
    return { missing: `no slow disk: ${trial.error?.message ?? trial.stderr.split('\n')[0]}` };
  const calls = [
    ...['-e', 'trace=fsync,fdatasync,pwrite64'],
    ...['-e', `inject=fsync,fdatasync:delay_exit=${waits.sync}`],
    ...['-e', `inject=pwrite64:delay_exit=${waits.write}`],
  ];
  return {
    async thing(pid) {
      const args = ['-f', '-qq', '-o', '/dev/null', ...calls, '-p', String(pid)];
      const tracer = spawn('strace', args, { stdio: 'ignore' });
      const gone = new Promise<void>((resolve) => tracer.once('exit', () => resolve()));
      await until(
        'a process that waits for its disk',
        () =>
          readFileSync(`/proc/${pid}/status`, 'utf8').includes(`TracerPid:\t${tracer.pid}\n`) ||
          null,
      );
      return async () => {
        tracer.kill('SIGINT');
        await gone;
      };
    },
  };
}
