import { describe, expect, test } from 'vitest';
import type { App, Session } from 'electron';
import { closeSession, isLoadable, setupOffline } from '../../src/main/offline.ts';

type Listener = (...given: never[]) => void;

/** A session that notes what it is told, in order. */
function noted() {
  const told: unknown[][] = [];
  let before:
    ((details: { url: string }, answer: (a: { cancel: boolean }) => void) => void) | null = null;
  const session = {
    setSpellCheckerEnabled: (on: boolean) => told.push(['enabled', on]),
    setSpellCheckerLanguages: (languages: string[]) => told.push(['languages', languages]),
    setSpellCheckerDictionaryDownloadURL: (url: string) => told.push(['dictionary', url]),
    webRequest: { onBeforeRequest: (listener: typeof before) => (before = listener) },
  } as unknown as Session;
  const denies = (url: string): boolean => {
    let denied = false;
    before?.({ url }, ({ cancel }) => (denied = cancel));
    return denied;
  };
  return { session, told, denies };
}

describe('a session', () => {
  test('loads our addresses and what a page holds in memory', () => {
    for (const url of [
      'textbind-app://page/index.html',
      `textbind-picture://picture/${'a'.repeat(64)}`,
      'blob:textbind-app://page/1',
      'data:text/plain,x',
      'devtools://devtools/bundled/inspector.html',
    ])
      expect([url, isLoadable(url)]).toEqual([url, true]);
  });

  test.each(['http://a', 'https://a', 'ws://a', 'wss://a', 'ftp://a', 'file:///etc/passwd', ''])(
    'loads nothing else: %s',
    (url) => {
      const denied: string[] = [];
      const { session, denies } = noted();
      closeSession(session, (scheme) => denied.push(scheme));
      expect(denies(url)).toBe(true);
      expect(denied).toEqual([url.split(':')[0]]);
      expect(denies('textbind-app://page/index.html')).toBe(false);
    },
  );

  test('of whatever name is closed when it is made, with its spelling dictionary', () => {
    const listeners = new Map<string, Listener>();
    const switches: unknown[][] = [];
    const app = {
      commandLine: { appendSwitch: (...given: unknown[]) => switches.push(given) },
      on: (name: string, listener: Listener) => listeners.set(name, listener),
    } as unknown as App;
    setupOffline(app, () => undefined);
    const { session, told, denies } = noted();
    listeners.get('session-created')?.(session as never);
    expect(told).toEqual([
      ['enabled', false],
      ['languages', []],
      ['dictionary', 'textbind-app://dictionaries/'],
    ]);
    expect(denies('https://example.org/')).toBe(true);
    expect(switches).toContainEqual(['host-resolver-rules', 'MAP * ~NOTFOUND']);
  });
});
