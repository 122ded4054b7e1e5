import { cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it, vi } from 'vitest';
import { testIds } from '../../../src/renderer/test-ids.ts';
import { all, find, get, openWindow, until } from '../helpers/open-window.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

it('a model moves to another drive and back, and its card says where it is', async () => {
  const { studio, folder } = await openWindow();
  const drive = temporaryFolder();
  const model = path.join(folder, 'models', 'mine');
  cpSync(path.join(folder, 'embedded', 'textbind-mini'), model, { recursive: true });
  writeFileSync(path.join(model, 'language', 'model.safetensors'), Buffer.alloc(400_000, 5));
  studio.shell.go('models');
  await studio.models.load();
  await studio.models.planMove(model, drive, false);
  await until(() => expect(get(testIds.modelMovePlan).textContent).toContain('400 kB'));
  get(testIds.modelMoveConfirm).click();
  const card = () =>
    all(testIds.modelItem).find((each) => each.textContent.includes('Its files lie in'));
  await until(() => expect(card()?.textContent).toContain(drive));
  expect(find(testIds.modelMovePlan)).toBeNull();
  expect(existsSync(path.join(model, 'language'))).toBe(false);
  await studio.models.planMove(model, null, false);
  await until(() => get(testIds.modelMoveConfirm)).then((button) => button.click());
  await until(() => expect(card()).toBeUndefined());
  expect(readFileSync(path.join(model, 'language', 'model.safetensors'))).toHaveLength(400_000);
});

it('what the catalogue has says whether it fits, and with how much less it would', async () => {
  const { studio } = await openWindow();
  studio.shell.go('models');
  await until(() => expect(all(testIds.systemFit)).toHaveLength(3));
  const says = (memoryBytes: number, ways: readonly string[]): Promise<void> => {
    studio.downloads.memoryBytes = memoryBytes;
    return until(() =>
      expect(all(testIds.systemFit).map((each) => each.dataset['fits'])).toEqual(ways),
    );
  };
  await says(64e9, ['refer', 'refer', 'refer']);
  await says(24e9, ['int8', 'int8', 'int8']);
  expect(all(testIds.systemFit)[0]?.textContent).toMatch(/40\.7 GB.*8 bits.*16\.3 GB.*13\.8 GB/s);
  await says(13e9, ['not', 'not', 'int4']);
  expect(all(testIds.systemFit)[0]?.textContent).toContain('TextBind 7B without drawing would fit');
});

it('CUDA is offered where its card is, says what is missing of NVIDIA’s, and can be deleted', async () => {
  const { studio, workers, folder } = await openWindow(undefined, ['An NVIDIA graphics card']);
  const offered = {
    ...{ name: 'Some.Gpu.Linux', version: '1.30.0', feed: 'https://feed.example/index.json' },
    entries: ['native/libonnxruntime_providers_cuda.so'],
  };
  workers.script.cuda = { package: offered, folder: null, missing: [], fault: null };
  studio.shell.go('models');
  await until(() => expect(get(testIds.cuda).textContent).toContain('feed.example'));
  expect(get(testIds.cuda).textContent).toMatch(/Some\.Gpu\.Linux 1\.30\.0.*NVIDIA’s driver/s);
  expect(find(testIds.cudaLook)).not.toBeNull();

  const part = path.join(folder, 'parts', 'cuda-provider@1.30.0');
  mkdirSync(part, { recursive: true });
  const about = { id: 'cuda-provider', role: 'provider', name: 'CUDA', repository: 'nuget/x' };
  const rest = { commit: '1.30.0', licence: 'MIT', files: [] };
  writeFileSync(path.join(part, 'part.json'), JSON.stringify({ ...about, ...rest }));
  const missing = ['libcublas.so.12', 'libcudnn.so.9'];
  workers.script.cuda = { package: offered, folder: part, missing, fault: null };
  await studio.downloads.load();
  await until(() => expect(get(testIds.cudaMissing).textContent).toContain('libcublas.so.12'));
  expect(get(testIds.cudaMissing).textContent).toContain('Install CUDA 12 and cuDNN 9');
  workers.script.cuda = { package: offered, folder: part, missing: [], fault: null };
  await studio.downloads.loadCuda();
  await until(() =>
    expect(get(testIds.cuda).textContent).toContain('Restart the engine to use it'),
  );
  workers.script.cuda = { package: offered, folder: null, missing: [], fault: null };
  get(testIds.cudaDelete).click();
  await until(() => expect(get(testIds.cuda).dataset['here']).toBe('false'));
  expect(existsSync(part)).toBe(false);
});

it('without an NVIDIA card nothing is said of CUDA’s library', async () => {
  const { studio } = await openWindow();
  studio.shell.go('models');
  await until(() => expect(studio.downloads.cuda).not.toBeNull());
  expect(find(testIds.cuda)).toBeNull();
});

it('a notice stands where a page has no buttons', async () => {
  const { studio } = await openWindow();
  const isLow = (): boolean => document.querySelector('.bars')?.classList.contains('low') === true;
  studio.shell.say('Said');
  await until(() => get(testIds.savedNotice));
  expect(isLow()).toBe(false);
  studio.shell.go('doctor');
  await until(() => expect(isLow()).toBe(true));
});
