import type { Clock } from '../base/clock.ts';
import type { PageFault } from './protocols/page-notice.ts';

/** After so many reloads within the window a person is asked. */
export const recoveryLimits = { reloads: 3, windowMs: 60_000 } as const;

/** The window as recovery needs it. */
export interface RecoverableWindow {
  reload(): void;
  /** Ends the page's process, which does not answer. */
  endPage(): void;
  showNotice(fault: PageFault): void;
  hideNotice(): void;
}

/**
 * What becomes of a page whose process dies or hangs. It is loaded again, as what it showed is stored; where that does
 * not help, and where it hangs, a notice of main's own says so.
 */
export class PageRecovery {
  readonly #window: RecoverableWindow;
  readonly #clock: Clock;
  #deaths: number[] = [];
  #fault: PageFault | null = null;

  constructor(window: RecoverableWindow, clock: Clock) {
    this.#window = window;
    this.#clock = clock;
  }

  /** The page's process ended without being asked. */
  died(): void {
    const now = this.#clock.monotonicMs();
    this.#deaths = [...this.#deaths.filter((at) => now - at < recoveryLimits.windowMs), now];
    if (this.#deaths.length > recoveryLimits.reloads) this.#show('gone');
    else this.#reload();
  }

  /** The page has not answered to a person's input for a while. */
  hung(): void {
    if (this.#fault === null) this.#show('hung');
  }

  /** It answers again. */
  answered(): void {
    if (this.#fault === 'hung') this.#hide();
  }

  /** A person wants it opened again: earlier deaths are forgotten. */
  reloadAsked(): void {
    this.#deaths = [];
    // Its death is told to `died`, which loads it again.
    if (this.#fault === 'hung') this.#window.endPage();
    else this.#reload();
  }

  /** A person would rather wait. It is told of again where it hangs again. */
  waitAsked(): void {
    if (this.#fault === 'hung') this.#hide();
  }

  #reload(): void {
    this.#hide();
    this.#window.reload();
  }

  #show(fault: PageFault): void {
    this.#fault = fault;
    this.#window.showNotice(fault);
  }

  #hide(): void {
    if (this.#fault === null) return;
    this.#fault = null;
    this.#window.hideNotice();
  }
}
