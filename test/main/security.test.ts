import { describe, expect, test, vi } from 'vitest';
import type { BrowserWindow, Session } from 'electron';
import { silentLogger } from '../../src/base/log.ts';
import {
  createSenderCheck,
  securePreferences,
  setupNavigationGuard,
  setupPermissions,
} from '../../src/main/security.ts';

type Listener = (...given: unknown[]) => void;

const electron = vi.hoisted(() => ({ listeners: new Map<string, Listener>() }));

vi.mock('electron', () => ({
  app: { on: (name: string, listener: Listener) => void electron.listeners.set(name, listener) },
}));

const ours = 'textbind-app://page/index.html';

describe('whose request it is', () => {
  const contents = {};
  const window = { webContents: contents, isDestroyed: () => false } as unknown as BrowserWindow;
  const frame = { url: ours, parent: null };
  const check = createSenderCheck(() => window);

  test('the main frame of our window, on our page', () => {
    expect(check({ sender: contents, senderFrame: frame })).toBe(true);
  });

  test.each<[string, unknown]>([
    ['another window', { sender: {}, senderFrame: frame }],
    ['a frame inside', { sender: contents, senderFrame: { ...frame, parent: frame } }],
    ['a frame that is gone', { sender: contents, senderFrame: null }],
    ['another page', { sender: contents, senderFrame: { ...frame, url: 'https://example.org/' } }],
    [
      'the host of pictures',
      { sender: contents, senderFrame: { ...frame, url: 'textbind-picture://page/x' } },
    ],
    ['a page of no address', { sender: contents, senderFrame: { ...frame, url: '' } }],
  ])('not %s', (_name, event) => {
    expect(check(event)).toBe(false);
  });

  test('nobody, while there is no window', () => {
    const event = { sender: contents, senderFrame: frame };
    expect(createSenderCheck(() => null)(event)).toBe(false);
    const destroyed = { ...window, isDestroyed: () => true } as BrowserWindow;
    expect(createSenderCheck(() => destroyed)(event)).toBe(false);
  });
});

describe('a page', () => {
  function guarded() {
    const listeners = new Map<string, Listener>();
    let open: ((details: { url: string }) => unknown) | undefined;
    setupNavigationGuard(silentLogger);
    electron.listeners.get('web-contents-created')?.(
      {},
      {
        setWindowOpenHandler: (handler: typeof open) => (open = handler),
        on: (name: string, listener: Listener) => listeners.set(name, listener),
      },
    );
    const denied = (name: string, url: string): boolean => {
      let prevented = false;
      listeners.get(name)?.({ url, preventDefault: () => (prevented = true) });
      return prevented;
    };
    return { denied, open: open! };
  }

  test('opens no window', () => {
    for (const url of ['https://example.org', ours]) {
      expect(guarded().open({ url })).toEqual({ action: 'deny' });
    }
  });

  test.each(['will-navigate', 'will-redirect', 'will-frame-navigate'])(
    'stays where it is: %s',
    (name) => {
      const { denied } = guarded();
      for (const url of [
        'https://example.org',
        'file:///etc/passwd',
        'textbind-picture://picture/x',
        'data:text/html,x',
      ]) {
        expect(denied(name, url)).toBe(true);
      }
      expect(denied(name, ours)).toBe(false);
    },
  );

  test('attaches no webview', () => {
    expect(guarded().denied('will-attach-webview', '')).toBe(true);
  });

  test('runs without Node and inside the sandbox', () => {
    expect(securePreferences).toMatchObject({
      sandbox: true,
      contextIsolation: true,
      nodeIntegration: false,
      webSecurity: true,
      webviewTag: false,
    });
  });

  test('is given no permission but writing to the clipboard', () => {
    const handlers: Record<string, Listener> = {};
    const answers: Record<string, unknown> = {};
    setupPermissions({
      setPermissionRequestHandler: (handler: Listener) => (handlers['request'] = handler),
      setPermissionCheckHandler: (handler: (contents: unknown, permission: string) => boolean) => {
        for (const name of ['media', 'geolocation', 'clipboard-read'])
          answers[name] = handler(null, name);
      },
      setDevicePermissionHandler: (handler: () => boolean) => (answers['device'] = handler()),
      on: () => undefined,
    } as unknown as Session);
    const asked = [
      'media',
      'notifications',
      'fullscreen',
      'openExternal',
      'clipboard-sanitized-write',
    ];
    for (const name of asked) {
      handlers['request']?.(null, name, (granted: boolean) => (answers[name] = granted));
    }
    const granted = Object.entries(answers).filter(([, value]) => value === true);
    expect(granted).toEqual([['clipboard-sanitized-write', true]]);
    expect(Object.keys(answers)).toHaveLength(8);
  });
});
