// Reads what strace wrote of a program and all its children: whom they tried to reach, what they wrote.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';

/** Strace's program, or null where it is not installed. */
export const strace = ['/usr/bin/strace', '/usr/local/bin/strace'].find(existsSync) ?? null;

const network = 'connect,sendto,sendmsg,sendmmsg';
const files =
  'open,openat,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,symlinkat';

/** The command line before a program's own: a file a process in `folder`, paths of descriptors spelt out. */
export function traced(folder: string): string[] {
  if (strace === null) return [];
  const where = ['-o', path.join(folder, 'trace')];
  // Calls that are not asked for run at full speed.
  return [
    strace,
    '-ff',
    '--seccomp-bpf',
    '-yy',
    '-s',
    '300',
    '-e',
    `trace=${network},${files}`,
    ...where,
  ];
}

export type Traced = {
  /** Addresses beside this machine's own that something was sent or a connection made to, or tried. */
  readonly reached: readonly string[];
  /** Addresses that a UDP socket was only given: the system says by which way it would go, and sends nothing. */
  readonly asked: readonly string[];
  /** Files and folders made or opened for writing, as absolute paths. */
  readonly written: readonly string[];
};

/** What the traces in a folder say. */
export function readTraces(folder: string): Traced {
  const found = {
    reached: new Set<string>(),
    asked: new Set<string>(),
    written: new Set<string>(),
  };
  for (const name of readdirSync(folder).filter((each) => each.startsWith('trace'))) {
    for (const line of readFileSync(path.join(folder, name), 'utf8').split('\n')) {
      const address = addressOf(line);
      if (address !== null) found[isOnlyAsked(line) ? 'asked' : 'reached'].add(address);
      const file = fileOf(line);
      if (file !== null) found.written.add(file);
    }
  }
  const { reached, asked, written } = found;
  return { reached: [...reached], asked: [...asked], written: [...written] };
}

const isOnlyAsked = (line: string): boolean => /^connect\(\d+<UDP/.test(line);

/** The foreign address of a call, tried or reached; the cache of look-ups (nscd) stands for one. */
export function addressOf(line: string): string | null {
  // Where it does not run, it is asked for users too, and names go on to the name server.
  if (/^connect\(.*nscd\/socket.* = 0/.test(line)) return 'the cache of look-ups (nscd)';
  const given =
    /AF_INET6?, sin6?_port=htons\((?<port>\d+)\).*?(?:inet_addr\(|inet_pton\(AF_INET6, )"(?<address>[^"]+)"/.exec(
      line,
    );
  // What is sent on a connected socket names nobody; the descriptor does: <UDP:[10.77.0.1:40260->8.8.8.8:53]>.
  const connected = /^send\w*\(\d+<\w+:\[.*->\[?(?<address>[^\]>]+?)\]?:(?<port>\d+)\]>/.exec(line);
  const { address, port } = given?.groups ?? connected?.groups ?? {};
  if (address === undefined || /^(127\.|::1$|::ffff:127\.)/.test(address)) return null;
  return `${address} port ${port}`;
}

/** The path that a call made or opened for writing, where it succeeded. */
export function fileOf(line: string): string | null {
  if (/^(open|openat|creat)\(/.test(line)) {
    if (!/O_WRONLY|O_RDWR|O_CREAT|^creat/.test(line)) return null;
    return /\) = \d+<(\/[^>]*)>/.exec(line)?.[1] ?? null;
  }
  if (!/^(mkdir|rename|link|symlink)\w*\(.*\) = 0/.test(line)) return null;
  // The last path named is the one that is new, but for its folder, which may stand before it as a descriptor.
  const named = [...line.matchAll(/(?:(?:AT_FDCWD|\d+)<([^>]*)>, )?"((?:[^"\\]|\\.)*)"/g)].at(-1);
  return named === undefined ? null : path.resolve(named[1] ?? '/', named[2] ?? '');
}
