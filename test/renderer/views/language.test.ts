import { afterEach, expect, it, vi } from 'vitest';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { showLanguage } from '../../../src/renderer/texts.svelte.ts';
import { find, get, openWindow, until } from '../helpers/open-window.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });
afterEach(() => showLanguage('en', []));

function choose(language: string): void {
  get(testIds.settingsLanguage)
    .querySelector<HTMLInputElement>(`input[value="${language}"]`)!
    .click();
}

it('another language is shown at once, in every part that is open, and kept', async () => {
  await openWindow();
  get(testIds.railSettings).click();
  await until(() => get(testIds.settingsView));
  expect(document.documentElement.lang).toBe('en');
  choose('zh');
  await until(() => expect(document.documentElement.lang).toBe('zh-Hans'));
  await until(() =>
    expect(get(testIds.settingsView).querySelector('h1')?.textContent).toBe('设置'),
  );
  expect(get(testIds.settingsLanguage).dataset['value']).toBe('zh');
  // Behind Settings, where the chat stays in being.
  expect(get(testIds.composerInput).getAttribute('aria-label')).toBe('消息');
  expect(get(testIds.railChat).getAttribute('aria-label')).toBe('对话');
  get(testIds.railModels).click();
  await until(() =>
    expect(find(testIds.modelsView)?.querySelector('h1')?.textContent).toBe('模型'),
  );
  get(testIds.railSettings).click();
  await until(() => get(testIds.settingsLanguage));
  choose('en');
  await until(() =>
    expect(get(testIds.settingsView).querySelector('h1')?.textContent).toBe('Settings'),
  );
  expect(document.documentElement.lang).toBe('en');
  expect(get(testIds.composerInput).getAttribute('aria-label')).toBe('Message');
});
