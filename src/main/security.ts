import { app, type BrowserWindow, type Session } from 'electron';
import { isPageAddress } from './protocols/page.ts';
import type { Logger } from '../base/log.ts';

/** Settings of every window that shows our page. */
export const securePreferences = {
  sandbox: true,
  contextIsolation: true,
  nodeIntegration: false,
  nodeIntegrationInWorker: false,
  nodeIntegrationInSubFrames: false,
  webSecurity: true,
  webviewTag: false,
  navigateOnDragDrop: false,
  spellcheck: false,
} as const;

/** Denies, for every page there will ever be: leaving it, windows, frames of others, downloads' surprises. */
export function setupNavigationGuard(log: Logger): void {
  app.on('web-contents-created', (_event, contents) => {
    contents.setWindowOpenHandler(({ url }) => {
      log.warn('window denied', { scheme: schemeOf(url) });
      return { action: 'deny' };
    });
    const stay = (event: { url: string; preventDefault(): void }): void => {
      if (isPageAddress(event.url)) return;
      log.warn('navigation denied', { scheme: schemeOf(event.url) });
      event.preventDefault();
    };
    contents.on('will-navigate', stay);
    contents.on('will-redirect', stay);
    contents.on('will-frame-navigate', stay);
    contents.on('will-attach-webview', (event) => event.preventDefault());
  });
}

/** Denies every permission (camera, notifications, ...) but writing to the clipboard, which "copy" needs. */
export function setupPermissions(session: Session): void {
  const allowed = new Set<string>(['clipboard-sanitized-write']);
  session.setPermissionRequestHandler((_contents, permission, callback) =>
    callback(allowed.has(permission)),
  );
  session.setPermissionCheckHandler((_contents, permission) => allowed.has(permission));
  session.setDevicePermissionHandler(() => false);
  session.on('will-download', (event) => event.preventDefault());
}

/** Says whether a request comes from our page, in the main frame of our window. */
export function createSenderCheck(window: () => BrowserWindow | null): (event: unknown) => boolean {
  return (event) => {
    const { sender, senderFrame } = event as Electron.IpcMainInvokeEvent;
    const ours = window();
    if (ours === null || ours.isDestroyed() || sender !== ours.webContents) return false;
    return senderFrame !== null && senderFrame.parent === null && isPageAddress(senderFrame.url);
  };
}

function schemeOf(url: string): string {
  return url.slice(0, Math.max(0, url.indexOf(':')));
}
