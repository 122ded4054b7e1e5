/** The part of a message port that both sides of a contract use; Electron's ports and child processes fit it. */
export interface Port {
  postMessage(message: unknown): void;
  /** Registers the one receiver; messages that came earlier are handed over first. */
  onMessage(receive: (message: unknown) => void): void;
  close(): void;
}

/** Two ports joined in memory, for tests. Messages are structured clones and arrive in order, in a later microtask. */
export function createPortPair(): readonly [Port, Port] {
  const left = new MemoryPort();
  const right = new MemoryPort();
  left.peer = right;
  right.peer = left;
  return [left, right];
}

class MemoryPort implements Port {
  peer: MemoryPort | null = null;
  #receive: ((message: unknown) => void) | null = null;
  #waiting: unknown[] = [];
  #closed = false;

  postMessage(message: unknown): void {
    const peer = this.peer;
    if (this.#closed || peer === null) return;
    const copy: unknown = structuredClone(message);
    queueMicrotask(() => peer.#deliver(copy));
  }

  onMessage(receive: (message: unknown) => void): void {
    this.#receive = receive;
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const message of waiting) receive(message);
  }

  close(): void {
    this.#closed = true;
    this.#receive = null;
  }

  #deliver(message: unknown): void {
    if (this.#closed) return;
    if (this.#receive === null) this.#waiting.push(message);
    else this.#receive(message);
  }
}
