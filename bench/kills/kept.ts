// The process that is to be killed, as the one who kills sees it: what it was asked, and what it confirmed.
import { spawn, type ChildProcess } from 'node:child_process';
import type { EngineStatus } from '../../src/shared/domain/engine-status.ts';
import {
  applyReplyEvent,
  type Reply,
  type ReplyBegun,
  type ReplyMessage,
} from '../../src/shared/domain/reply.ts';
import { patienceMs } from '../app/app.ts';
import type { Asked, Said } from './messages.ts';

/** A turn that was told as stored: these words, in this state. */
export interface Words {
  readonly text: string;
  readonly status: string;
}

/** What was told as stored. */
export interface Confirmed {
  /** Messages, and replies that have ended. */
  readonly turns: Map<string, Words>;
  /** What stood in a reply when something of it was told that is stored at once: it begins with these words. */
  readonly beginnings: Map<string, string>;
  /** Hashes of pictures. */
  readonly pictures: Set<string>;
}

export interface Kept {
  readonly told: Told;
  engine(): { readonly state: EngineStatus['state']; readonly pid: number | null };
  ask<Name extends Asked['name']>(
    name: Name,
    body: Extract<Asked, { name: Name }>['body'],
  ): Promise<unknown>;
  /** Resolves when no reply is being written. */
  settled(): Promise<void>;
  /** Resolves when the engine is in one of these states. */
  until(...states: EngineStatus['state'][]): Promise<void>;
  /** SIGKILL to it and to what it started; resolves when it is gone. */
  kill(): Promise<void>;
}

const wordsOf = ({ parts, status }: Pick<Reply, 'parts' | 'status'>): Words => ({
  text: parts.map((part) => (part.kind === 'text' ? part.text : '')).join(''),
  status,
});

/** What it told, folded as the window folds it. */
export class Told {
  readonly confirmed: Confirmed = { turns: new Map(), beginnings: new Map(), pictures: new Set() };
  readonly replies = new Map<string, Reply>();
  conversationId: string | null = null;
  lastReply: string | null = null;
  lastMessage: string | null = null;

  /** Replies that are being written, and have said something. */
  get writing(): number {
    return [...this.replies.values()].filter(({ parts }) => parts.length > 0).length;
  }

  take({ turnId, event }: ReplyMessage): void {
    if (event.kind === 'begun') this.#begun(event);
    const before = this.replies.get(turnId);
    if (before === undefined) return;
    const reply = applyReplyEvent(before, event);
    const { turns, beginnings, pictures } = this.confirmed;
    if (event.kind === 'picture') pictures.add(event.picture.hash);
    // Text alone may wait for the disk.
    if (event.kind !== 'text' && event.kind !== 'caption-text')
      beginnings.set(turnId, wordsOf(reply).text);
    if (event.kind !== 'ended') {
      this.replies.set(turnId, reply);
      return;
    }
    this.replies.delete(turnId);
    beginnings.delete(turnId);
    // A version that said nothing is not kept, and that was told.
    if (reply.parts.length > 0) turns.set(turnId, wordsOf(reply));
  }

  #begun({ conversationId, turns, reply }: ReplyBegun): void {
    this.conversationId = conversationId;
    this.replies.set(reply.id, reply);
    this.lastReply = reply.id;
    for (const turn of turns) {
      this.confirmed.turns.set(turn.id, wordsOf(turn));
      this.lastMessage = turn.id;
    }
  }
}

/** Waits for what a process says; where it is gone, nothing is waited for any more. */
class Waits {
  readonly #looks = new Set<() => void>();
  isGone = false;

  /** Something is new. */
  look(): void {
    for (const look of [...this.#looks]) look();
  }

  /** @throws where it waited in vain */
  until(what: string, is: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (): void => {
        clearTimeout(timer);
        this.#looks.delete(look);
      };
      const timer = setTimeout(() => {
        end();
        reject(new Error(`waited ${patienceMs / 1000} s in vain for ${what}`));
      }, patienceMs);
      const look = (): void => {
        if (!is() && !this.isGone) return;
        end();
        resolve();
      };
      this.#looks.add(look);
      look();
    });
  }
}

/** Requests on their way. */
class Questions {
  readonly #send: (asked: Asked) => void;
  readonly #answers = new Map<number, (said: Extract<Said, { id: number }>) => void>();
  #count = 0;

  constructor(send: (asked: Asked) => void) {
    this.#send = send;
  }

  /** @param make the request with its number. Rejects with why it was refused */
  ask(make: (id: number) => Asked): Promise<unknown> {
    const asked = make((this.#count += 1));
    return new Promise((resolve, reject) => {
      this.#answers.set(asked.id, (said) => {
        if (said.kind === 'answer') resolve(said.value);
        else reject(new Error(`${asked.name}: ${said.reason}`));
      });
      this.#send(asked);
    });
  }

  take(said: Extract<Said, { id: number }>): void {
    this.#answers.get(said.id)?.(said);
    this.#answers.delete(said.id);
  }
}

function startChild(node: string, compiled: string, args: readonly string[]): ChildProcess {
  return spawn(node, args, {
    detached: true,
    env: { ...process.env, NODE_COMPILE_CACHE: compiled },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    serialization: 'advanced',
  });
}

/**
 * Starts it.
 *
 * @param compiled where V8 keeps what it compiled, for the next start
 * @throws where it does not open its storage, or finds a reply that is still being written
 */
export async function startKept(
  node: string,
  compiled: string,
  args: readonly string[],
): Promise<Kept> {
  const child = startChild(node, compiled, args);
  const told = new Told();
  const waits = new Waits();
  const questions = new Questions((asked) => void child.send(asked, () => undefined));
  let engine: Extract<Said, { kind: 'engine' }> = { kind: 'engine', state: 'starting', pid: null };
  let streaming: number | null = null;
  child.once('exit', () => {
    waits.isGone = true;
    waits.look();
  });
  child.on('error', () => undefined);
  child.on('message', (said: Said) => {
    if (said.kind === 'open') streaming = said.streaming;
    else if (said.kind === 'engine') engine = said;
    else if (said.kind === 'reply') told.take(said.message);
    else questions.take(said);
    waits.look();
  });
  const kill = async (): Promise<void> => {
    // The group: its engine as well.
    if (child.pid !== undefined && !waits.isGone) process.kill(-child.pid, 'SIGKILL');
    await waits.until('its end', () => waits.isGone);
  };
  await waits.until('its storage', () => streaming !== null);
  if (streaming !== 0) {
    await kill();
    throw new Error(`it opened with ${String(streaming)} turns that are still being written`);
  }
  return {
    told,
    engine: () => engine,
    // The name and its body belong together; TypeScript does not follow the pair.
    ask: (name, body) => questions.ask((id) => ({ id, name, body }) as Asked),
    settled: () => waits.until('the end of a reply', () => told.replies.size === 0),
    until: (...states) =>
      waits.until(`an engine that is ${states.join(' or ')}`, () => states.includes(engine.state)),
    kill,
  };
}
