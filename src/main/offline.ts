import type { App, Session } from 'electron';
import { appProtocols } from '../shared/contracts/app-channels.ts';

/** Nothing else is ever loaded: our page and pictures, what a page holds in memory, Chromium's own tools. */
const loadedSchemes: ReadonlySet<string> = new Set([
  `${appProtocols.page}:`,
  `${appProtocols.picture}:`,
  'blob:',
  'data:',
  'devtools:',
]);

/** A proxy that is not there: what gets past every other guard ends at a port that refuses, on this machine. */
const deadProxy = 'http://127.0.0.1:9';

/**
 * Chromium's switches, before the app is ready. Every name resolves to nothing, so that no look-up leaves; no proxy is
 * searched for; WebRTC sends nothing but through a proxy; the system's key ring is not asked for a key, as there are
 * no cookies and no passwords.
 */
const switches: readonly (readonly [name: string, value?: string])[] = [
  ['host-resolver-rules', 'MAP * ~NOTFOUND'],
  ['proxy-server', deadProxy],
  ['proxy-bypass-list', '<-loopback>'],
  ['force-webrtc-ip-handling-policy', 'disable_non_proxied_udp'],
  ['disable-background-networking'],
  ['disable-component-update'],
  ['no-pings'],
  ['password-store', 'basic'],
];

/** Says whether a session may load an address. */
export function isLoadable(address: string): boolean {
  return URL.canParse(address) && loadedSchemes.has(new URL(address).protocol);
}

/**
 * Closes the network to the app and to every session that it will ever have. Before the app is ready: Chromium asks
 * for a spelling dictionary as soon as a session is made, whether spelling is on or not.
 */
export function setupOffline(app: App, onDenied: (scheme: string) => void): void {
  for (const [name, value] of switches) app.commandLine.appendSwitch(name, value);
  app.on('session-created', (session) => closeSession(session, onDenied));
  app.on('web-contents-created', (_event, contents) =>
    contents.setWebRTCIPHandlingPolicy('disable_non_proxied_udp'),
  );
}

/** Denies a session every address that is not ours, and the spelling dictionary. */
export function closeSession(session: Session, onDenied: (scheme: string) => void): void {
  session.setSpellCheckerEnabled(false);
  session.setSpellCheckerLanguages([]);
  // Ours, where nothing answers: were spelling ever turned on, the answer would be "not found" and not a look-up.
  session.setSpellCheckerDictionaryDownloadURL(`${appProtocols.page}://dictionaries/`);
  session.webRequest.onBeforeRequest(({ url }, answer) => {
    const cancel = !isLoadable(url);
    if (cancel) onDenied(url.slice(0, Math.max(0, url.indexOf(':'))));
    answer({ cancel });
  });
}
