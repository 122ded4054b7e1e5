// Runs as root inside `unshare --mount`: lays a fresh layer over this machine's files, hides the checkout, makes the
// layer its root, and installs the package there. What it does to the machine vanishes with it. Then an ordinary user
// starts the app by the line of the menu entry. Writes what it saw as JSON to the file that it was given.
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';

export type ProcessSeen = {
  /** Chromium's word for it; the main process has none. */
  readonly type: string;
  readonly args: string;
  readonly user: number;
  /** `Seccomp:` of /proc/PID/status: 2 where a filter stands between it and the system. */
  readonly seccomp: number;
  /** In a namespace of users, or of processes, of its own. */
  readonly isApart: boolean;
};

/** A start by the line of the menu entry, until the log says that the window and the engine are there. */
export type Start = {
  /** Of Chromium's set-uid helper: mode and owner. */
  readonly helper: { readonly mode: number; readonly owner: number };
  readonly processes: readonly ProcessSeen[];
  readonly windows: string;
  readonly log: string;
  readonly endedWith: number | null;
};

export type Report = {
  readonly installed: string;
  readonly menuLine: string;
  readonly verified: string;
  readonly icons: readonly string[];
  readonly missingLibraries: readonly string[];
  readonly person: number;
  /** The system lets an ordinary user have namespaces. */
  readonly plain: Start;
  /** It does not: in a changed root the kernel refuses them, and the package was told so when it was set up. */
  readonly withoutNamespaces: Start;
  /** The scripted conversation: the window is asked, and answers. */
  readonly demo: {
    readonly status: number | null;
    readonly words: string;
    readonly files: readonly string[];
  };
  readonly removal: string;
  readonly leftInOpt: boolean;
  readonly dataLeft: readonly string[];
};

const name = 'textbind-studio';
const home = '/home/person';

function run(program: string, ...args: string[]): string {
  return execFileSync(program, args, {
    encoding: 'utf8',
    env: { ...process.env, PATH: '/usr/sbin:/usr/bin:/sbin:/bin', LC_ALL: 'C' },
  });
}

const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function until<Value>(
  what: string,
  look: () => Value | null,
  limitMs = 150_000,
): Promise<Value> {
  for (let waitedMs = 0; waitedMs < limitMs; waitedMs += 200) {
    const found = look();
    if (found !== null) return found;
    await sleep(200);
  }
  throw new Error(`waited in vain: ${what}`);
}

/** Makes a layer over `/` the root of this process and of its children. `hidden` folders are empty there. */
function enterLayer(folder: string, hidden: readonly string[]): void {
  const merged = path.join(folder, 'root');
  run('mount', '--make-rprivate', '/');
  run('mount', '-t', 'tmpfs', 'tmpfs', folder);
  for (const each of ['upper', 'work', 'root']) mkdirSync(path.join(folder, each));
  const layers = `lowerdir=/,upperdir=${folder}/upper,workdir=${folder}/work`;
  run('mount', '-t', 'overlay', 'overlay', '-o', layers, merged);
  for (const each of [...hidden, '/root', '/home', '/opt', '/tmp', '/run']) {
    if (existsSync(merged + each)) run('mount', '-t', 'tmpfs', 'tmpfs', merged + each);
  }
  run('mount', '-t', 'proc', 'proc', `${merged}/proc`);
  for (const each of ['/sys', '/dev']) run('mount', '--rbind', each, merged + each);
  mkdirSync(`${merged}/tmp/.X11-unix`);
  run('chmod', '1777', `${merged}/tmp`);
  if (existsSync('/tmp/.X11-unix'))
    run('mount', '--bind', '/tmp/.X11-unix', `${merged}/tmp/.X11-unix`);
  mkdirSync(`${merged}/run/before`);
  run('pivot_root', merged, `${merged}/run/before`);
  process.chdir('/');
}

const idOf = (user: string): number => Number(run('id', '--user', user));

/** As the desktop does: the line without its field codes, as that user, in that user's own environment. */
function asPerson(line: string, ...more: string[]): [string, string[]] {
  const words = line.split(' ').filter((word) => !word.startsWith('%'));
  const environment = [
    `HOME=${home}`,
    'USER=person',
    'PATH=/usr/bin:/bin',
    `DISPLAY=${process.env['DISPLAY'] ?? ''}`,
    'XDG_RUNTIME_DIR=/run/person',
    'LANG=C.UTF-8',
  ];
  const user = ['--reuid=person', '--regid=person', '--init-groups'];
  return ['setpriv', [...user, 'env', '-i', ...environment, ...words, ...more]];
}

const log = `${home}/.config/TextBind Studio/logs/main.log`;
const said = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');

/** @param prefix what runs the line, such as a changed root */
async function start(
  menuLine: string,
  person: number,
  prefix: readonly string[] = [],
): Promise<Start> {
  const before = said().length;
  const [program, args] = asPerson(menuLine, ...switches());
  const [first = program, ...rest] = [...prefix, program, ...args];
  const child = spawn(first, rest, { stdio: 'inherit' });
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const now = (): string => said().slice(before);
  const waitFor = (words: RegExp): Promise<true> =>
    until(`${words.source} in the log: ${now()}`, () => (words.test(now()) ? true : null));
  await waitFor(/window open/);
  await waitFor(/worker ready/);
  // A second start hands its link to the first.
  const [again, link] = asPerson(menuLine, ...switches(), 'textbind://open/settings');
  const [second = again, ...more] = [...prefix, again, ...link];
  spawnSync(second, more, { timeout: 60_000 });
  await waitFor(/asked to open kind=place/);
  const processes = processesOf(person);
  const windows = spawnSync('xwininfo', ['-root', '-tree'], { encoding: 'utf8' }).stdout ?? '';
  child.kill('SIGTERM');
  const { mode, uid } = statSync(`/opt/${name}/chrome-sandbox`);
  const helper = { mode: mode & 0o7777, owner: uid };
  return { helper, processes, windows, endedWith: await ended, log: now() };
}

/** Sets the package up once more on a system that says it has no namespaces for ordinary users. */
function setUpWithoutNamespaces(): void {
  const setting = '/proc/sys/user/max_user_namespaces';
  writeFileSync('/tmp/none', '0\n');
  run('mount', '--bind', '/tmp/none', setting);
  run(`/var/lib/dpkg/info/${name}.postinst`, 'configure', '');
  run('umount', setting);
}

/** The same files under another root, in which the kernel makes no namespace of users (clone(2), EPERM). */
function changedRoot(): string[] {
  mkdirSync('/run/again');
  run('mount', '--rbind', '/', '/run/again');
  return ['chroot', '/run/again'];
}

const namespaces = (pid: string): string =>
  readlinkSync(`/proc/${pid}/ns/user`) + readlinkSync(`/proc/${pid}/ns/pid`);

function processesOf(user: number): ProcessSeen[] {
  const ours = namespaces('self');
  return readdirSync('/proc')
    .filter((entry) => /^\d+$/.test(entry))
    .flatMap((pid) => {
      try {
        const args = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
        const status = readFileSync(`/proc/${pid}/status`, 'utf8');
        const owner = Number(/^Uid:\s+(\d+)/m.exec(status)?.[1]);
        if (owner !== user || !args.includes(`/opt/${name}/`)) return [];
        return [
          {
            type: /--type=([\w-]+)/.exec(args)?.[1] ?? '',
            args,
            user: owner,
            seccomp: Number(/^Seccomp:\s+(\d)/m.exec(status)?.[1]),
            isApart: namespaces(pid) !== ours,
          },
        ];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

const filesBelow = (folder: string): string[] =>
  existsSync(folder) ? readdirSync(folder, { recursive: true, encoding: 'utf8' }).sort() : [];

async function main([
  deb = '',
  folder = '',
  root = '',
  result = '',
]: readonly string[]): Promise<void> {
  const bytes = readFileSync(deb);
  enterLayer(folder, [root]);
  writeFileSync('/tmp/package.deb', bytes);
  const installed = run('dpkg', '--install', '/tmp/package.deb');
  const menuLine = /^Exec=(.*)$/m.exec(
    readFileSync(`/usr/share/applications/${name}.desktop`, 'utf8'),
  )?.[1];
  if (menuLine === undefined) throw new Error('the menu entry has no line');
  run('useradd', '--create-home', '--home-dir', home, 'person');
  run('install', '-d', '-o', 'person', '-m', '700', '/run/person');
  const person = idOf('person');

  const plain = await start(menuLine, person);
  const out = `${home}/demo-out`;
  const [program, args] = asPerson(menuLine, ...switches(), '--demo', `--out=${out}`);
  const demo = spawnSync(program, args, { encoding: 'utf8', timeout: 240_000 });
  setUpWithoutNamespaces();
  const withoutNamespaces = await start(menuLine, person, changedRoot());
  const report: Report = {
    installed,
    menuLine,
    verified: run('dpkg', '--verify', name),
    icons: filesBelow('/usr/share/icons/hicolor').filter((file) => file.includes(name)),
    missingLibraries: run('ldd', `/opt/${name}/${name}`)
      .split('\n')
      .filter((line) => line.includes('not found')),
    person,
    plain,
    withoutNamespaces,
    demo: { status: demo.status, words: `${demo.stdout}\n${demo.stderr}`, files: filesBelow(out) },
    removal: run('dpkg', '--purge', name),
    leftInOpt: existsSync(`/opt/${name}`),
    dataLeft: filesBelow(`${home}/.config/TextBind Studio/data`),
  };
  writeFileSync(`/run/before${result}`, JSON.stringify(report));
}

/** What the machine needs (no graphics, little shared memory); never what would take the sandbox away. */
function switches(): string[] {
  const all = JSON.parse(process.env['TEXTBIND_E2E_SWITCHES'] ?? '[]') as string[];
  return all.filter((each) => each !== '--no-sandbox');
}

await main(process.argv.slice(2));
process.exit(0);
