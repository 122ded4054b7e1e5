// A message longer than the model's context, sent where nothing could count it first (as before the engine is there):
// it fails alone, and the conversation lives on.
import type { AppBridge } from '../../src/shared/contracts/app-ipc.ts';
import { testIds } from '../../src/renderer/test-ids.ts';
import { answered, ask, byId, engineReady, screenshot, settled, turns } from './harness/window.ts';

/** About 6,700 characters: 3 times what the embedded model can read. */
const article = 'The tide comes in and the tide goes out again. '.repeat(143);

/** Past the composer, which counts first and would not send it. */
async function sendPastComposer(text: string): Promise<void> {
  await browser.execute(async (words: string) => {
    const { api } = globalThis as unknown as { api: AppBridge };
    const parts = [{ kind: 'text', text: words }];
    await api.request('chat.send', { conversationId: null, parts });
  }, text);
  await byId(testIds.conversationItem).click();
}

describe('a message that is too long for the model', () => {
  before(engineReady);

  it('fails with its size and the room there is', async () => {
    await sendPastComposer(article);
    const reply = await settled(2);
    expect(reply.status).toBe('failed');
    const sentence = await byId(testIds.turnError).getText();
    expect(sentence).toMatch(/too long for the model: it takes \d+ tokens, .* room for \d+/);
    await screenshot('too-long');
  });

  it('does not keep the next message from being answered', async () => {
    const reply = await ask('Hello!');
    expect(reply.status).toMatch(answered);
    expect(reply.text.length).toBeGreaterThan(0);
  });

  it('can be taken out, and brought back', async () => {
    const before = await turns();
    await byId(testIds.failedDelete).click();
    await browser.waitUntil(async () => (await turns()).length === before.length - 2);
    expect(await turns()).toEqual(before.slice(2));
    await byId(testIds.versionUndo).click();
    await browser.waitUntil(async () => (await turns()).length === before.length);
    // Out of sight a turn that has just come is laid out a moment later, and until then has no words to be seen.
    await browser.waitUntil(async () => (await turns())[0]?.text !== '');
    expect(await turns()).toEqual(before);
  });

  it('can be edited where it stands, with what follows kept as another version', async () => {
    await byId(testIds.failedEdit).click();
    await byId(testIds.messageInput).waitForDisplayed();
    expect((await byId(testIds.messageInput).getText()).length).toBeGreaterThan(5000);
    await byId(testIds.messageCancel).click();
    await byId(testIds.messageInput).waitForExist({ reverse: true });
  });

  it('is shortened to fit on request, and then answered', async () => {
    await byId(testIds.shorten).click();
    await browser.waitUntil(async () => (await turns()).length === 2, { timeout: 60_000 });
    const reply = await settled(2);
    expect(reply.status).toMatch(answered);
    expect(reply.text.length).toBeGreaterThan(0);
    const [message] = await turns();
    expect(message?.text).toContain(' … ');
    expect(message?.text.length).toBeLessThan(article.length);
    expect(await byId(testIds.turnVersions).getAttribute('data-count')).toBe('2');
    await screenshot('shortened');
  });
});
