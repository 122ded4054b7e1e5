import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { createJobNotices, longJobMs } from '../../src/main/job-notices.ts';
import { noticeAddress, noticeAt } from '../../src/main/protocols/page-notice.ts';
import { createPageHandler } from '../../src/main/protocols/page.ts';
import { createMigrationPage, createPlainProblem } from '../../src/main/start-problem.ts';
import type { LanguageChoice } from '../../src/shared/texts/language.ts';
import { createVoice } from '../../src/shared/texts/voice.ts';
import { FakeClock } from '../support/fake-clock.ts';

const chinese = createVoice(() => ({ chosen: 'system', preferred: ['zh-CN', 'en-US'] }));

test('a page of main is in the language that is chosen, and says so to a screen reader', async () => {
  const address = noticeAddress('hung');
  expect(noticeAt(address)).toContain('<html lang="en">');
  const response = await createPageHandler('/nowhere', () => null, chinese)({ url: address });
  const page = await response.text();
  expect(page).toContain('<html lang="zh-Hans">');
  expect(page).toContain('窗口没有响应');
  expect(page).toContain('重新打开');
});

test('why the app cannot start is said in Chinese, its reason too', () => {
  const fault =
    'The data folder /data is not a folder. Move what is there, or start with another folder (--user-data-dir=DIR). Nothing was changed.';
  const page = createPlainProblem(fault, chinese).page();
  expect(page).toContain('无法使用数据文件夹');
  expect(page).toContain('数据文件夹 /data 不是文件夹。');
  expect(createPlainProblem(fault).page()).toContain('is not a folder.');
  expect(createMigrationPage(48_689_152).page()).toContain('49 MB of conversations');
  expect(createMigrationPage(48_689_152, chinese).page()).toContain('49 MB 的对话');
});

test('the desktop is told in the language that is chosen at that moment', () => {
  let chosen: LanguageChoice = 'en';
  const clock = new FakeClock();
  const shown: string[] = [];
  const tell = createJobNotices({
    clock,
    isInSight: () => false,
    notify: (title) => shown.push(title),
    voice: createVoice(() => ({ chosen, preferred: [] })),
  });
  const answer = (): void => {
    const turnId = randomUUID();
    tell('chat.reply', { turnId, event: { kind: 'begun' } });
    clock.advance(longJobMs);
    tell('chat.reply', { turnId, event: { kind: 'ended', status: 'complete' } });
  };
  answer();
  chosen = 'zh';
  answer();
  expect(shown).toEqual(['The reply is ready', '回复已完成']);
});
