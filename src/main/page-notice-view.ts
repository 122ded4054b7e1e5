import { WebContentsView, type BrowserWindow } from 'electron';
import type { Logger } from '../base/log.ts';
import {
  noticeAction,
  noticeAddress,
  type NoticeAction,
  type PageFault,
} from './protocols/page-notice.ts';
import { securePreferences } from './security.ts';

/** Height of the notice over a page that hangs, points; over one that is gone it fills the window. */
const stripHeight = 170;

/** A notice of main's own over the window's page, in a process of its own. */
export class PageNoticeView {
  readonly #window: BrowserWindow;
  readonly #log: Logger;
  readonly #onAction: (action: NoticeAction) => void;
  #view: WebContentsView | null = null;

  constructor(window: BrowserWindow, log: Logger, onAction: (action: NoticeAction) => void) {
    this.#window = window;
    this.#log = log;
    this.#onAction = onAction;
  }

  show(fault: PageFault): void {
    this.hide();
    if (this.#window.isDestroyed()) return;
    this.#log.warn('page notice', { fault });
    const view = new WebContentsView({ webPreferences: securePreferences });
    this.#view = view;
    const place = (): void => {
      if (this.#view !== view || this.#window.isDestroyed()) return;
      const { width, height } = this.#window.getContentBounds();
      view.setBounds({ x: 0, y: 0, width, height: fault === 'gone' ? height : stripHeight });
    };
    place();
    this.#window.on('resize', place);
    view.webContents.once('destroyed', () => this.#window.off('resize', place));
    // Not will-navigate, which does not come where the guard has denied this one (Electron 33).
    view.webContents.on('will-frame-navigate', ({ url }) => {
      const action = noticeAction(url);
      // Later: the notice cannot go while its own way out is being denied.
      if (action !== null) setImmediate(() => this.#onAction(action));
    });
    this.#window.contentView.addChildView(view);
    const fail = (error: unknown): void =>
      this.#log.error('page notice not shown', { reason: String(error) });
    view.webContents.loadURL(noticeAddress(fault)).then(() => view.webContents.focus(), fail);
  }

  hide(): void {
    const view = this.#view;
    this.#view = null;
    if (view === null) return;
    if (!this.#window.isDestroyed()) this.#window.contentView.removeChildView(view);
    if (!view.webContents.isDestroyed()) view.webContents.close();
  }
}
