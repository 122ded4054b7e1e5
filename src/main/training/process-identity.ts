/** A process that may outlive us, known again by more than its number: the system gives numbers out anew. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** Which process; `startedAs` names the moment it began, in the system's own words. */
export interface ProcessIdentity {
  readonly pid: number;
  readonly startedAs: string | null;
}

/** Takes down who a process is, right after it was started. */
export function identify(pid: number): ProcessIdentity {
  return { pid, startedAs: startOf(pid) };
}

/** Whether that very process is still there. One that has ended but was not waited for is not. */
export function isRunning({ pid, startedAs }: ProcessIdentity): boolean {
  const now = startOf(pid);
  // Without a word of its beginning, by its number alone: it would be worse to start it twice.
  return now !== null && (startedAs === null || now === startedAs);
}

/** When a process began, as text that is the same each time; null where there is none of that number. */
function startOf(pid: number): string | null {
  if (process.platform === 'linux') return startOnLinux(pid);
  if (!exists(pid)) return null;
  return process.platform === 'win32' ? startOnWindows(pid) : startByPs(pid);
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** proc(5): behind the name in parentheses come the state (first) and the start in ticks since boot (20th). */
function startOnLinux(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const [state, ticks] = [fields[0], fields[19]];
    if (state === 'Z' || state === 'X' || ticks === undefined) return null;
    return `${bootOfLinux()} ${ticks}`;
  } catch {
    return null;
  }
}

function bootOfLinux(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function startByPs(pid: number): string | null {
  const said = ask('ps', ['-o', 'stat=,lstart=', '-p', String(pid)]);
  return said === '' || said.startsWith('Z') ? null : said.replace(/^\S+\s+/, '');
}

function startOnWindows(pid: number): string | null {
  const script = `(Get-Process -Id ${pid}).StartTime.ToFileTimeUtc()`;
  return ask('powershell', ['-NoProfile', '-NonInteractive', '-Command', script]) || null;
}

function ask(program: string, args: readonly string[]): string {
  try {
    const quiet = ['ignore', 'pipe', 'ignore'] as const;
    return execFileSync(program, args, { encoding: 'utf8', stdio: [...quiet] }).trim();
  } catch {
    return '';
  }
}
