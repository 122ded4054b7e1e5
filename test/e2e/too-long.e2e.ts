// A message longer than the model's context: it fails alone, and the conversation lives on.
import { testIds } from '../../src/renderer/test-ids.ts';
import { ask, byId, engineReady, pressSend, screenshot, settled } from './harness/window.ts';

/** About 6,700 characters: 3 times what the embedded model can read. */
const article = 'The tide comes in and the tide goes out again. '.repeat(143);

/** Puts words into the composer as a paste does; typing them key by key takes minutes. */
async function paste(words: string): Promise<void> {
  await byId(testIds.composerInput).click();
  await browser.execute((text: string) => {
    const data = new DataTransfer();
    data.setData('text/plain', text);
    document.activeElement?.dispatchEvent(
      new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }),
    );
  }, words);
}

describe('a message that is too long for the model', () => {
  before(engineReady);

  it('fails with its size and the room there is', async () => {
    await paste(article);
    await pressSend();
    const reply = await settled(2);
    expect(reply.status).toBe('failed');
    const sentence = await byId(testIds.turnError).getText();
    expect(sentence).toMatch(/too long for the model: it takes \d+ tokens, .* room for \d+/);
    await screenshot('too-long');
  });

  it('does not keep the next message from being answered', async () => {
    const reply = await ask('Hello!');
    expect(reply.status).toBe('complete');
    expect(reply.text.length).toBeGreaterThan(0);
  });
});
