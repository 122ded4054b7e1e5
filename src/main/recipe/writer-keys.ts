/** Keys of servers that write, one a server: what is said to one is said to no other. */
import { createHash } from 'node:crypto';
import { mkdirSync } from 'node:fs';
import path from 'node:path';
import { TokenKeeper, type Keychain } from '../downloads/token.ts';

export class WriterKeys {
  readonly #folder: string;
  readonly #keychain: () => Keychain;
  readonly #keepers = new Map<string, TokenKeeper>();

  constructor(folder: string, keychain: () => Keychain) {
    this.#folder = folder;
    this.#keychain = keychain;
  }

  /** What keeps the key of an address's server, in the desktop's keychain where there is one. */
  of(address: string): TokenKeeper {
    const { origin } = new URL(address);
    const name = createHash('sha256').update(origin).digest('hex').slice(0, 16);
    const known = this.#keepers.get(name);
    if (known !== undefined) return known;
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const keeper = new TokenKeeper(path.join(this.#folder, name), this.#keychain);
    this.#keepers.set(name, keeper);
    return keeper;
  }
}
