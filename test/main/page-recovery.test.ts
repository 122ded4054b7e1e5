import { describe, expect, test } from 'vitest';
import { PageRecovery } from '../../src/main/page-recovery.ts';
import {
  noticeAction,
  noticeAddress,
  noticeAt,
  type PageFault,
} from '../../src/main/protocols/page-notice.ts';
import { createPageHandler, isPageAddress } from '../../src/main/protocols/page.ts';
import { FakeClock } from '../support/fake-clock.ts';

function recovered() {
  const done: string[] = [];
  const clock = new FakeClock();
  const recovery = new PageRecovery(
    {
      reload: () => done.push('reload'),
      endPage: () => done.push('end'),
      showNotice: (fault) => done.push(fault),
      hideNotice: () => done.push('hide'),
    },
    clock,
  );
  return { done, clock, recovery };
}

describe('a page', () => {
  test('that dies is loaded again, and told of the fourth time in a minute', () => {
    const { done, recovery } = recovered();
    for (let death = 0; death < 4; death += 1) recovery.died();
    expect(done).toEqual(['reload', 'reload', 'reload', 'gone']);
  });

  test('that dies now and then is loaded again each time', () => {
    const { done, clock, recovery } = recovered();
    for (let death = 0; death < 9; death += 1) {
      recovery.died();
      clock.advance(21_000);
    }
    expect(done).toEqual(Array(9).fill('reload'));
  });

  test('is loaded again when a person asks, with new chances', () => {
    const { done, recovery } = recovered();
    for (let death = 0; death < 4; death += 1) recovery.died();
    done.length = 0;
    recovery.reloadAsked();
    recovery.died();
    expect(done).toEqual(['hide', 'reload', 'reload']);
  });

  test('that hangs is told of until it answers', () => {
    const { done, recovery } = recovered();
    recovery.hung();
    recovery.hung();
    recovery.answered();
    recovery.hung();
    recovery.waitAsked();
    expect(done).toEqual(['hung', 'hide', 'hung', 'hide']);
  });

  test('that hangs is ended and loaded again when a person asks', () => {
    const { done, recovery } = recovered();
    recovery.hung();
    recovery.reloadAsked();
    recovery.died();
    expect(done).toEqual(['hung', 'end', 'hide', 'reload']);
  });
});

describe('the notice', () => {
  test.each<PageFault>(['gone', 'hung'])(
    'about a page that is %s says what to do',
    async (fault) => {
      const serve = createPageHandler('/nowhere', () => null);
      const response = await serve({ url: noticeAddress(fault) });
      const body = await response.text();
      expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
      expect(body).toContain('Open it again');
      expect(body).not.toContain('<script');
      const links = [...body.matchAll(/href="([^"]+)"/g)].map((found) =>
        noticeAction(found[1] ?? ''),
      );
      expect(links).toEqual(fault === 'gone' ? ['reload'] : ['reload', 'wait']);
    },
  );

  test('is no page of ours that could ask main for anything', () => {
    expect(isPageAddress(noticeAddress('gone'))).toBe(false);
  });

  test.each(['textbind-app://notice/', 'textbind-app://page/gone', 'textbind-app://notice/gone?x'])(
    'is nowhere else: %s',
    (url) => expect(noticeAt(url)).toBeNull(),
  );
});
