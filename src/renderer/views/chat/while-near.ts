import type { Attachment } from 'svelte/attachments';

/** Beyond what is in sight, CSS pixels: some seconds of scrolling. */
const nearPx = 3000;
/** What making a turn or two takes, ms: an idle moment that is shorter is left to the next frame. */
const neededMs = 5;
/** A page that is never idle has what comes near all the same, this late. */
const latestMs = 150;
/** How often it is made then, at once: who scrolls on a busy machine shall not come to the end of what is made. */
const latest = 6;

/**
 * Makes what stands beside an element for as long as that is near to what is in sight: a little in each idle moment, so
 * that no frame waits for it.
 * @param make makes some of it, at once: afterwards it is laid out
 */
export function whileNear(scroller: () => HTMLElement, make: () => void): Attachment {
  return (element) => {
    let asked: number | null = null;
    const isNear = (): boolean => {
      if (!element.isConnected) return false;
      const [at, sight] = [element.getBoundingClientRect(), scroller().getBoundingClientRect()];
      return at.bottom > sight.top - nearPx && at.top < sight.bottom + nearPx;
    };
    function ask(): void {
      asked ??= requestIdleCallback(work, { timeout: latestMs });
    }
    function work(idle: IdleDeadline): void {
      asked = null;
      let near = isNear();
      // The first one comes even without a moment to spare.
      const least = idle.didTimeout ? latest : 1;
      for (let made = 0; near && (made < least || idle.timeRemaining() > neededMs); made += 1) {
        make();
        near = isNear();
      }
      if (near) ask();
      else lookAgain();
    }
    const observer = new IntersectionObserver(
      (entries) => entries.some(({ isIntersecting }) => isIntersecting) && ask(),
      { root: scroller(), rootMargin: `${nearPx}px 0px` },
    );
    /**
     * What was made pushed it out of reach, and scrolling may bring it back before the observer looks: that saw it within
     * reach before and after, and would say nothing. One that begins anew says how it is.
     */
    function lookAgain(): void {
      observer.unobserve(element);
      if (element.isConnected) observer.observe(element);
    }
    observer.observe(element);
    return () => {
      observer.disconnect();
      if (asked !== null) cancelIdleCallback(asked);
    };
  };
}
