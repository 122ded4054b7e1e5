import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { readModelFolder, type ModelFolder } from '../../../src/library/model-folder.ts';
import { workerEnvironment } from '../../../src/shared/contracts/worker-protocol.ts';
import { Drawer } from '../../../src/worker/pipelines/drawing/drawer.ts';
import { oneByOneBytes, togetherBytes } from '../../../src/worker/pipelines/memory/needs.ts';
import { modelNeeds, planModel } from '../../../src/worker/pipelines/memory/plan.ts';
import { TextBindModel } from '../../../src/worker/pipelines/textbind-model.ts';
import { noPython, runPython } from '../../golden/run-python.ts';
import { makeTinyModel } from '../../support/tiny-model.ts';

const placement = { provider: 'cpu', threads: 1 } as const;
const never = new AbortController().signal;
const drawing = { steps: 4, guidance: 5, negative: 'grey', seed: 9, enabled: true };
const request = { caption: 'a cat', drawing };

afterEach(() => vi.unstubAllEnvs());

describe('what parts take', () => {
  const parts = [
    { part: 'a', held: 100, working: 10 },
    { part: 'b', held: 30, working: 90 },
  ];

  it('together: all that is held, and the largest run', () => {
    expect(togetherBytes(parts)).toBe(220);
  });

  it('one by one: the larger of both', () => {
    expect(oneByOneBytes(parts)).toBe(120);
  });
});

describe.skipIf(noPython !== undefined)(`a memory plan ${noPython ?? ''}`, () => {
  let tiny: ReturnType<typeof makeTinyModel>;
  let refined: ReturnType<typeof makeTinyModel>;
  let model: ModelFolder;

  beforeAll(() => {
    const sdxl = runPython('sdxl.py');
    tiny = makeTinyModel();
    const imageDecoder = { base: path.join(sdxl, 'base'), refiner: path.join(sdxl, 'refiner') };
    refined = makeTinyModel({ imageDecoder });
    model = readModelFolder(tiny.folder);
  }, 600_000);
  afterAll(() => {
    tiny.remove();
    refined.remove();
  });

  const withRoom = (bytes: number) => vi.stubEnv(workerEnvironment.memory, String(bytes));
  const apartFrom = (bytes: number) => vi.stubEnv(workerEnvironment.drawApart, String(bytes));

  it('keeps a small model open as a whole', async () => {
    expect(await planModel(model, 'cpu', true)).toBe('kept');
  });

  it('has a drawing part from some size on in another process, where there is one', async () => {
    apartFrom(0);
    expect(await planModel(model, 'cpu', true)).toBe('apart');
    expect(await planModel(model, 'cpu', false)).toBe('kept');
    apartFrom(1e12);
    expect(await planModel(model, 'cpu', true)).toBe('kept');
  });

  it('spares memory where not everything fits at once', async () => {
    const { talking, drawing: needs } = await modelNeeds(model, 'cpu');
    expect(needs?.sparing).toBeLessThan(needs?.kept ?? 0);
    withRoom(talking + (needs?.kept ?? 0) - 1);
    expect(await planModel(model, 'cpu', false)).toBe('sparing');
  });

  it('says that a conversation cannot fit, with figures, and opens nothing', async () => {
    withRoom(100_000);
    const opened: string[] = [];
    const refused = TextBindModel.open(tiny.folder, {
      provider: 'cpu',
      onProgress: ({ part }) => opened.push(part),
    });
    await expect(refused).rejects.toMatchObject({
      kind: 'out-of-memory',
      message: expect.stringMatching(
        /^Tiny needs about \d+ MB of memory \(language model \d+ MB, vision \d+ MB\), and 1 MB are free\./,
      ) as unknown,
    });
    expect(opened).toEqual([]);
  });

  it('tries everything on a GPU, of whose memory nothing is known', async () => {
    withRoom(1);
    expect(await planModel(model, 'webgpu', true)).toBe('kept');
  });

  it('draws the same with networks that come and go, and holds none afterwards', async () => {
    const folder = readModelFolder(refined.folder);
    const [kept, sparing] = [
      await Drawer.open(folder, placement),
      await Drawer.open(folder, placement, { sparing: true }),
    ];
    expect(sparing?.sessionCount).toBe(0);
    const held: number[] = [];
    const progress = (): void => void held.push(sparing?.sessionCount ?? 0);
    const [here, there] = [
      await kept?.draw(request, () => undefined, never),
      await sparing?.draw(request, progress, never),
    ];
    expect(Buffer.from(there?.png ?? '').equals(here?.png ?? new Uint8Array())).toBe(true);
    // Never more than one network beside the VAE.
    expect(Math.max(...held)).toBeLessThanOrEqual(2);
    expect([kept?.sessionCount, sparing?.sessionCount]).toEqual([6, 0]);
    await kept?.release();
    await sparing?.release();
  });

  it('gives the memory back after Stop', async () => {
    const sparing = await Drawer.open(model, placement, { sparing: true });
    const abort = new AbortController();
    const stop = ({ step }: { readonly step: number }): void => {
      if (step === 1) abort.abort();
    };
    await expect(sparing?.draw(request, stop, abort.signal)).rejects.toMatchObject({
      kind: 'cancelled',
    });
    expect(sparing?.sessionCount).toBe(0);
  });

  it('refuses a picture that cannot fit, and offers a smaller one where that would', async () => {
    const sparing = await Drawer.open(model, placement, { sparing: true });
    const size = { width: 512, height: 512 };
    // What the model's own size of 64 x 64 takes.
    withRoom((await modelNeeds(model, 'cpu')).drawing?.sparing ?? 0);
    await expect(sparing?.draw({ ...request, size }, () => undefined, never)).rejects.toMatchObject(
      {
        kind: 'out-of-memory',
        message: expect.stringMatching(
          /^Drawing 512 x 512 needs about \d+ MB of memory, and \d+ MB are free\. A smaller picture may fit\.$/,
        ) as unknown,
      },
    );
    withRoom(1000);
    await expect(sparing?.draw(request, () => undefined, never)).rejects.toThrow(
      /Close other programs and draw again\.$/,
    );
  });
});
