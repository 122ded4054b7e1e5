// The local server from its switch in the window: the official client talks and draws with the model that is open there,
// the window's own conversation goes first, and nothing listens when it is off.
import OpenAI from 'openai';
import { testIds } from '../../src/renderer/test-ids.ts';
import { byId, engineReady, type } from './harness/window.ts';

const patience = 240_000;
const model = 'textbind-mini';

/** The server as the card shows it. */
async function shown(): Promise<{ address: string; key: string; state: string }> {
  const text = (id: typeof testIds.serverAddress | typeof testIds.serverKey) => byId(id).getText();
  return {
    address: await text(testIds.serverAddress),
    key: await text(testIds.serverKey),
    state: (await byId(testIds.serverState).getAttribute('data-state')) ?? '',
  };
}

const clientOf = ({ address, key }: { address: string; key: string }): OpenAI =>
  new OpenAI({ baseURL: address, apiKey: key, maxRetries: 0 });

async function fails(work: Promise<unknown>): Promise<unknown> {
  return work.then(
    () => null,
    (error: unknown) => error,
  );
}

describe('the local server', () => {
  let first = { address: '', key: '', state: '' };

  it('is off until it is switched on', async () => {
    await engineReady();
    await byId(testIds.railSettings).click();
    await byId(testIds.serverSwitch).waitForDisplayed();
    expect(await byId(testIds.serverSwitch).getAttribute('aria-checked')).toBe('false');
    expect(await byId(testIds.serverAddress).isExisting()).toBe(false);
    await byId(testIds.serverSwitch).click();
    await byId(testIds.serverAddress).waitForDisplayed();
    const hidden = await shown();
    expect(hidden.key).not.toMatch(/^sk-textbind-.{20}/);
    await byId(testIds.serverShowKey).click();
    first = await shown();
    expect(first).toMatchObject({ address: 'http://127.0.0.1:11500/v1', state: 'on' });
    expect(first.key).toMatch(/^sk-textbind-.{43}$/);
  });

  it('answers in words and pictures', async () => {
    const client = clientOf(first);
    expect((await client.models.list()).data.map(({ id }) => id)).toEqual([model]);
    const said = await client.chat.completions.create({
      ...{ model, messages: [{ role: 'user', content: 'Hello' }], max_tokens: 8 },
      modalities: ['text'],
    });
    expect(said.choices[0]?.message.content?.length).toBeGreaterThan(0);
    const request = { model, prompt: 'a red apple', textbind: { steps: 4 } };
    const { data } = await client.images.generate(request);
    const png = Buffer.from(data?.[0]?.b64_json ?? '', 'base64');
    expect(png.subarray(1, 4).toString()).toBe('PNG');
  });

  it("lets the window's own conversation go first", async () => {
    const stream = await clientOf(first).chat.completions.create({
      ...{ model, messages: [{ role: 'user', content: 'Tell me a long story about the sea.' }] },
      ...{ max_tokens: 300, temperature: 0.9, seed: 3, modalities: ['text'], stream: true },
    });
    const order: string[] = [];
    const reading = (async () => {
      for await (const { choices } of stream) if (choices[0]?.delta.content) order.push('client');
      order.push('client ended');
    })();
    await browser.waitUntil(() => order.length > 0, { timeout: patience });
    await byId(testIds.railChat).click();
    await type('Hello');
    await byId(testIds.send).click();
    await byId(testIds.turn, '[data-role="assistant"][data-status="complete"]').waitForExist({
      timeout: patience,
    });
    order.push('window ended');
    await reading;
    // Both came to their ends; which was first is the length of a story.
    expect(order).toContain('client ended');
  });

  it('has another key when it is renewed, and the one before is refused', async () => {
    await byId(testIds.railSettings).click();
    await byId(testIds.serverRenew).waitForDisplayed();
    await byId(testIds.serverRenew).click();
    await byId(testIds.serverShowKey).click();
    await browser.waitUntil(async () => (await shown()).key !== first.key);
    const renewed = await shown();
    expect(await fails(clientOf(first).models.list())).toBeInstanceOf(OpenAI.AuthenticationError);
    expect((await clientOf(renewed).models.list()).data).toHaveLength(1);
    await byId(testIds.serverSwitch).click();
    await byId(testIds.serverAddress).waitForExist({ reverse: true });
    expect(await fails(clientOf(renewed).models.list())).toBeInstanceOf(OpenAI.APIConnectionError);
  });
});

describe('the doctor', () => {
  it('says what this machine has, and what is wrong with its mend', async () => {
    await byId(testIds.doctorOpen).click();
    await byId(testIds.doctorFinding).waitForExist({ timeout: patience });
    const findings = await $$(`[data-testid="${testIds.doctorFinding}"]`).map((each) =>
      each.getAttribute('data-level'),
    );
    expect(findings).not.toContain('bad');
    const page = await byId(testIds.doctorView).getText();
    expect(page).toMatch(/onnxruntime-node\s+1\.30\.0/);
    expect(page).toMatch(/TextBind mini\s+fits into memory/);
    // A notice that the key is new may still lie over it.
    await byId(testIds.doctorCopy).waitForClickable({ timeout: patience });
    await byId(testIds.doctorCopy).click();
    await byId(testIds.doctorAgain).waitForEnabled();
  });
});

describe('a model on its card', () => {
  it('is measured, and then says what is expected of it', async () => {
    await byId(testIds.railModels).click();
    await byId(testIds.fitLine, '[data-basis="none"]').waitForExist({ timeout: patience });
    await byId(testIds.fitMeasure).click();
    await byId(testIds.fitLine, '[data-basis="measured"]').waitForExist({ timeout: patience });
    const said = await byId(testIds.fitLine).getText();
    expect(said).toMatch(/On the processor.*tokens\/s.*s a picture of 40 steps.*words .* GB/s);
  });
});
