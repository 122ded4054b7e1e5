/**
 * For what may be wider than its place: while it is, it can be scrolled by keyboard and is named for a screen reader;
 * while it is not, it is no stop of the Tab key.
 */
export function scrollable(label: string): (element: HTMLElement) => () => void {
  return (element) => {
    const observer = new ResizeObserver(() => {
      const overflows =
        element.scrollWidth > element.clientWidth + 1 ||
        element.scrollHeight > element.clientHeight + 1;
      if (overflows === element.hasAttribute('tabindex')) return;
      if (overflows) {
        element.tabIndex = 0;
        element.setAttribute('role', 'group');
        element.setAttribute('aria-label', label);
      } else {
        for (const name of ['tabindex', 'role', 'aria-label']) element.removeAttribute(name);
      }
    });
    observer.observe(element);
    if (element.firstElementChild !== null) observer.observe(element.firstElementChild);
    return () => observer.disconnect();
  };
}
