// What the app's processes take, from /proc (Linux).
import { readdirSync, readFileSync } from 'node:fs';

export interface ProcessUse {
  readonly pid: number;
  /** main, page, engine, helper (decodes pictures, looks through copies), gpu-process, network, zygote, other. */
  readonly kind: string;
  /** Memory of its own and its share of what is common (PSS), bytes. */
  readonly bytes: number;
  readonly openFiles: number;
  readonly threads: number;
}

interface Row {
  readonly pid: number;
  readonly parent: number;
  readonly args: string;
}

function rows(): Row[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const status = readFileSync(`/proc/${name}/status`, 'utf8');
        const parent = Number(/^PPid:\s+(\d+)/m.exec(status)?.[1]);
        const args = readFileSync(`/proc/${name}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return [{ pid: Number(name), parent, args }];
      } catch {
        // It ended while we looked.
        return [];
      }
    });
}

function kindOf({ pid, args }: Row, isMain: boolean): string {
  if (isMain) return 'main';
  const type = /--type=([\w-]+)/.exec(args)?.[1] ?? 'other';
  if (type === 'renderer') return 'page';
  if (type !== 'utility') return type;
  if (!args.includes('NodeService')) return 'network';
  // They look alike by their arguments: the engine is the one that has loaded its runtime.
  return readFileSync(`/proc/${pid}/maps`, 'utf8').includes('libonnxruntime') ? 'engine' : 'helper';
}

/** A process and all below it, of these: where Chromium's zygote forks them the zygote stands between. */
export function withDescendants<Each extends { readonly pid: number; readonly parent: number }>(
  all: readonly Each[],
  main: number,
): readonly Each[] {
  const family = new Set([main]);
  for (let size = 0; size !== family.size;) {
    size = family.size;
    for (const { pid, parent } of all) if (family.has(parent)) family.add(pid);
  }
  return all.filter(({ pid }) => family.has(pid));
}

/** What a process and all below it take. */
export function familyOf(main: number): readonly ProcessUse[] {
  return withDescendants(rows(), main)
    .flatMap((row) => {
      try {
        return [use(row, row.pid === main)];
      } catch {
        // It ended while we looked.
        return [];
      }
    })
    .sort((a, b) => Number(b.kind === 'main') - Number(a.kind === 'main'));
}

function use(row: Row, isMain: boolean): ProcessUse {
  const { pid } = row;
  const memory = readFileSync(`/proc/${pid}/smaps_rollup`, 'utf8');
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return {
    pid,
    kind: kindOf(row, isMain),
    bytes: Number(/^Pss:\s+(\d+)/m.exec(memory)?.[1] ?? 0) * 1024,
    openFiles: readdirSync(`/proc/${pid}/fd`).length,
    threads: Number(/^Threads:\s+(\d+)/m.exec(status)?.[1] ?? 0),
  };
}
