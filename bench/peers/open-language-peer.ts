import path from 'node:path';
import type {
  LanguageMemory,
  LanguageOpened,
  LanguageRequest,
  LanguageRun,
} from './language-peer.ts';
import { PeerProcess } from './peer-process.ts';

/** The programs, by the names that are printed. */
const programs = {
  TextBind: 'textbind-language.ts',
  'llama.cpp': 'llama-cpp-language.ts',
  'transformers.js': 'transformers-js-language.ts',
} as const;

/** A language model that is open in a process of its own. */
export interface LanguagePeer extends LanguageOpened {
  /** It took to start the process and to open the model. */
  readonly seconds: number;
  run(prompt: readonly number[], tokens: number): Promise<LanguageRun>;
  memory(): Promise<LanguageMemory>;
  close(): Promise<void>;
}

/** @throws Error with the peer's message */
export async function openLanguagePeer(
  name: keyof typeof programs,
  request: Omit<Extract<LanguageRequest, { kind: 'open' }>, 'kind'>,
): Promise<LanguagePeer> {
  const begin = performance.now();
  const peer = new PeerProcess(name, path.join(import.meta.dirname, programs[name]));
  const ask = (message: LanguageRequest): Promise<unknown> => peer.ask(message);
  try {
    const { engine } = (await ask({ kind: 'open', ...request })) as LanguageOpened;
    return {
      engine,
      seconds: (performance.now() - begin) / 1000,
      run: async (prompt, tokens) => (await ask({ kind: 'run', prompt, tokens })) as LanguageRun,
      memory: async () => (await ask({ kind: 'memory' })) as LanguageMemory,
      close: () => peer.close(),
    };
  } catch (error) {
    await peer.close();
    throw error;
  }
}
