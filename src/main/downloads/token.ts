/** The token that a hub knows a person by: in the desktop's keychain, or, where there is none, until the app closes. */
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { writeWholeFileSync } from '../../base/whole-file.ts';

/** The part of Electron's safeStorage that is used. */
export interface Keychain {
  isEncryptionAvailable(): boolean;
  encryptString(text: string): Buffer;
  decryptString(bytes: Buffer): string;
  /** Linux alone has it; `basic_text` is no keychain. */
  getSelectedStorageBackend?(): string;
}

export class TokenKeeper {
  readonly #file: string;
  readonly #keychain: () => Keychain;
  #session: string | null = null;

  /** @param keychain asked for at the first use: some desktops then ask for a password */
  constructor(file: string, keychain: () => Keychain) {
    this.#file = file;
    this.#keychain = keychain;
  }

  get has(): boolean {
    return this.#session !== null || existsSync(this.#file);
  }

  /** Where a token that is put in now is kept. */
  kept(): 'system' | 'session' {
    const keychain = this.#keychain();
    const isReal = keychain.getSelectedStorageBackend?.() !== 'basic_text';
    return isReal && keychain.isEncryptionAvailable() ? 'system' : 'session';
  }

  /** Null where there is none, or none that this desktop can read. */
  read(): string | null {
    if (this.#session !== null || !existsSync(this.#file)) return this.#session;
    try {
      this.#session = this.#keychain().decryptString(readFileSync(this.#file));
    } catch {
      // Of another desktop, or of one whose keychain was emptied: it is put in anew.
      rmSync(this.#file, { force: true });
    }
    return this.#session;
  }

  /** @param token null forgets it */
  set(token: string | null): void {
    this.#session = token;
    if (token !== null && this.kept() === 'system') {
      writeWholeFileSync(this.#file, this.#keychain().encryptString(token));
    } else rmSync(this.#file, { force: true });
  }
}
