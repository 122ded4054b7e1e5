import { describe, expect, test } from 'vitest';
import { layOutPaths } from '../../src/main/paths.ts';

describe('paths', () => {
  const roots = { userData: '/u', mainFolder: '/app/out/main', modelsFolder: null };

  test('of a checkout and of an installed app', () => {
    const checkout = layOutPaths({ ...roots, installedResources: null });
    expect(checkout).toMatchObject({
      embeddedModels: '/app/models',
      worker: '/app/out/worker/main.js',
    });
    const installed = layOutPaths({ ...roots, installedResources: '/opt/r' });
    expect(installed).toMatchObject({ embeddedModels: '/opt/r/models', data: '/u/data' });
  });
});
