import { BrowserWindow, screen } from 'electron';
import { z } from 'zod';
import { systemClock } from '../base/clock.ts';
import type { SettingsTable } from './database/settings.ts';
import type { Logger } from '../base/log.ts';
import { languageArgument, type LanguageStart } from '../shared/texts/language.ts';
import { PageNoticeView } from './page-notice-view.ts';
import { PageRecovery } from './page-recovery.ts';
import { securePreferences } from './security.ts';
import { zoomByKey } from './zoom-keys.ts';

/** Where the window was and how large, in screen points. */
const windowStateSchema = z.object({
  x: z.number().int(),
  y: z.number().int(),
  width: z.number().int().min(800),
  height: z.number().int().min(600),
  maximized: z.boolean(),
});
type WindowState = z.infer<typeof windowStateSchema>;

const stateName = 'window';

export interface WindowOptions {
  readonly preload: string;
  /** The picture of the window in the task bar; macOS takes the app's own. */
  readonly icon: string;
  /** Keeps the window's place; null where there is no database. */
  readonly settings: SettingsTable | null;
  readonly log: Logger;
  readonly language: LanguageStart;
}

/** Makes the window, hidden until its page can be seen. */
export function createWindow({
  preload,
  icon,
  settings,
  log,
  language,
}: WindowOptions): BrowserWindow {
  const state = readState(settings);
  const window = new BrowserWindow({
    width: 1200,
    height: 800,
    ...(state === null ? {} : placeOf(state)),
    minWidth: 800,
    minHeight: 600,
    show: false,
    title: 'TextBind Studio',
    icon,
    autoHideMenuBar: true,
    webPreferences: {
      ...securePreferences,
      preload,
      additionalArguments: [languageArgument(language)],
    },
  });
  if (state?.maximized === true) window.maximize();
  window.once('ready-to-show', () => window.show());
  window.on('close', () => keepState(window, settings));
  setupRecovery(window, log);
  setupPageFaults(window, log);
  setupZoomKeys(window);
  return window;
}

/** Zoom by the keys as they are typed: the menu's Ctrl++ needs Shift on most keyboards, where Ctrl+= is what is pressed. */
function setupZoomKeys(window: BrowserWindow): void {
  const { webContents } = window;
  webContents.on('before-input-event', (event, input) => {
    const level = zoomByKey(input, webContents.getZoomLevel(), process.platform);
    if (level === null) return;
    event.preventDefault();
    webContents.setZoomLevel(level);
  });
}

/** What the browser itself says went wrong in the page. Other words of the page's console may be a person's. */
function setupPageFaults(window: BrowserWindow, log: Logger): void {
  const fault = /^(Refused to|Uncaught|Failed to load)/;
  // Electron 35 put into the event what were arguments before; both run here.
  window.webContents.on('console-message', (...given: unknown[]) => {
    const [event, , argument] = given;
    const says = typeof event === 'object' && event !== null && 'message' in event;
    const message = says && typeof event.message === 'string' ? event.message : argument;
    if (typeof message !== 'string' || !fault.test(message)) return;
    log.error('page fault', { message: message.slice(0, 200) });
  });
}

/** A page that dies is loaded again; where that does not help, and where it hangs, a notice says so. */
function setupRecovery(window: BrowserWindow, log: Logger): void {
  const { webContents } = window;
  const notice = new PageNoticeView(window, log, (action) => {
    log.info('page notice answered', { action });
    if (action === 'reload') recovery.reloadAsked();
    else recovery.waitAsked();
  });
  const recovery = new PageRecovery(
    {
      reload: () => window.isDestroyed() || webContents.reload(),
      endPage: () => webContents.forcefullyCrashRenderer(),
      showNotice: (fault) => notice.show(fault),
      hideNotice: () => notice.hide(),
    },
    systemClock,
  );
  webContents.on('render-process-gone', (_event, { reason, exitCode }) => {
    log.error('page process gone', { reason, exitCode });
    if (reason !== 'clean-exit' && !window.isDestroyed()) recovery.died();
  });
  webContents.on('unresponsive', () => {
    log.error('page does not answer');
    recovery.hung();
  });
  webContents.on('responsive', () => {
    log.info('page answers again');
    recovery.answered();
  });
  webContents.on('preload-error', (_event, _path, error) =>
    log.error('preload failed', { reason: error.message }),
  );
}

function readState(settings: SettingsTable | null): WindowState | null {
  const parsed = windowStateSchema.safeParse(settings?.state(stateName) ?? null);
  return parsed.success ? parsed.data : null;
}

/** The remembered place where a screen still shows enough of it to grab; else only the size. */
function placeOf(state: WindowState): Partial<WindowState> {
  const { x, y, width, height } = state;
  const visible = screen.getAllDisplays().some(({ workArea }) => {
    const overlapX = Math.min(x + width, workArea.x + workArea.width) - Math.max(x, workArea.x);
    const overlapY = Math.min(y + height, workArea.y + workArea.height) - Math.max(y, workArea.y);
    return overlapX > 100 && overlapY > 100;
  });
  return visible ? { x, y, width, height } : { width, height };
}

function keepState(window: BrowserWindow, settings: SettingsTable | null): void {
  const bounds = window.getNormalBounds();
  try {
    settings?.keepState(stateName, { ...bounds, maximized: window.isMaximized() });
  } catch {
    // The database is closed already: the place of a window is not worth an error.
  }
}
