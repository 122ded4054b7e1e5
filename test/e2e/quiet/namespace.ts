// Runs inside `unshare --net --mount`: lays out a network in which every address is this machine, starts the recorder,
// and then one program after another, each in a fresh home. Writes what it saw as JSON to the file that it was given.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { scenarios, type Place } from './scenarios.ts';
import { nameServer, startRecorder } from './recorder.ts';
import { readTraces, strace, traced } from './trace.ts';

export type Seen = {
  /** Empty where the program did what it was to do; else what it said. */
  readonly failure: string;
  /** Look-ups and connections that arrived. */
  readonly recorded: readonly string[];
  /** Of the trace (trace.ts); null where there is no strace. */
  readonly reached: readonly string[] | null;
  readonly asked: readonly string[] | null;
  /** Files outside the program's own folders: by the trace, else those left in its home. */
  readonly strayFiles: readonly string[];
  /** Addresses and ports, in the kernel's notation, on which something listened that did not before. */
  readonly listened: readonly string[];
};
export type Report = Readonly<Record<string, Seen>>;

/**
 * Files that are not ours to choose. Chromium: the socket by which a second start finds the first (a path of a socket
 * must be short), shared memory. GTK: dconf's signal in the login's own folder. Fontconfig: its list of fonts.
 */
function isSystems(file: string, { home, temporary, runtime }: Place): boolean {
  const within = (folder: string): boolean => file.startsWith(folder);
  return (
    ['/dev/', '/proc/', '/var/cache/fontconfig', `${runtime}/dconf`].some(within) ||
    [`${home}/.cache/fontconfig`, `${home}/.fontconfig`].some(within) ||
    /^\/(scoped_dir\w+(\/Singleton\w+)?|\.org\.chromium\.Chromium\.\w+)$/.test(
      within(temporary) ? file.slice(temporary.length) : '',
    )
  );
}

function isolate(folder: string): void {
  const resolver = path.join(folder, 'resolv.conf');
  writeFileSync(resolver, `nameserver ${nameServer}\n`);
  for (const line of [
    'ip link set lo up',
    `ip address add ${nameServer}/32 dev lo`,
    'ip route add local default dev lo',
    'ip -6 route add local default dev lo',
    `mount --bind ${resolver} /etc/resolv.conf`,
  ]) {
    const [program = '', ...args] = line.split(' ');
    execFileSync(program, args, {
      env: { ...process.env, PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
    });
  }
}

/** Fresh folders of one program. */
function placeOf(folder: string, name: string): Place {
  const own = path.join(folder, name);
  const place = {
    home: path.join(own, 'home'),
    temporary: path.join(own, 'tmp'),
    runtime: path.join(own, 'run'),
    data: path.join(own, 'data'),
    out: path.join(own, 'out'),
    trace: path.join(own, 'trace'),
  };
  for (const each of Object.values(place)) mkdirSync(each, { recursive: true, mode: 0o700 });
  return place;
}

/** As a person's own, but for where home is; nothing that turns telemetry off by the way. */
function environmentOf(place: Place): NodeJS.ProcessEnv {
  const kept = ['PATH', 'LANG', 'DISPLAY', 'XAUTHORITY'].flatMap((name) =>
    process.env[name] === undefined ? [] : [[name, process.env[name]] as const],
  );
  const { home, temporary, runtime } = place;
  return { ...Object.fromEntries(kept), HOME: home, TMPDIR: temporary, XDG_RUNTIME_DIR: runtime };
}

const filesBelow = (folder: string): string[] =>
  readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => path.join(folder, name));

/** TCP sockets of this network that wait for connections, e.g. `0100007F:2CEC`. */
function listeners(): string[] {
  return ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => {
    const lines = readFileSync(file, 'utf8').trim().split('\n').slice(1);
    const fields = lines.map((line) => line.trim().split(/\s+/));
    // 0A: LISTEN.
    return fields.flatMap(([, local = '', , state]) => (state === '0A' ? [local] : []));
  });
}

/** Looks again and again, until it is stopped. */
function watchListeners(): { stop(): string[] } {
  const before = new Set(listeners());
  const seen = new Set<string>();
  const look = (): void => {
    for (const each of listeners()) if (!before.has(each)) seen.add(each);
  };
  const timer = setInterval(look, 50);
  return {
    stop() {
      look();
      clearInterval(timer);
      return [...seen];
    },
  };
}

async function main([folder = '', resultFile = '']: readonly string[]): Promise<void> {
  isolate(folder);
  const recorder = await startRecorder();
  const report: Record<string, Seen> = {};
  for (const [name, scenario] of Object.entries(scenarios)) {
    const place = placeOf(folder, name);
    const before = recorder.events.length;
    const ears = watchListeners();
    let failure = '';
    try {
      await scenario(place, { prefix: traced(place.trace), env: environmentOf(place) });
    } catch (error) {
      failure = error instanceof Error ? (error.stack ?? error.message) : String(error);
    }
    const listened = ears.stop();
    const { reached, asked, written } = readTraces(place.trace);
    const found = [...written, ...filesBelow(place.home), ...filesBelow(place.temporary)];
    const own = [place.data, place.out].map((each) => each + path.sep);
    const isOwn = (file: string): boolean => own.some((each) => `${file}/`.startsWith(each));
    report[name] = {
      failure,
      recorded: recorder.events.slice(before),
      reached: strace === null ? null : reached,
      asked: strace === null ? null : asked,
      listened,
      strayFiles: [...new Set(found)].filter((file) => !isOwn(file) && !isSystems(file, place)),
    };
  }
  recorder.stop();
  writeFileSync(resultFile, JSON.stringify(report));
}

await main(process.argv.slice(2));
process.exit(0);
