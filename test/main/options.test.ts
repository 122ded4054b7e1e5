import { describe, expect, test } from 'vitest';
import { readOptions } from '../../src/main/options.ts';

describe('options', () => {
  test('are read from the command line, paths made absolute', () => {
    expect(readOptions(['app', '.', '--no-sandbox'], '/there')).toEqual({
      userDataFolder: null,
      demo: null,
      saveFolder: null,
      modelsFolder: null,
    });
    expect(
      readOptions(
        ['app', '--user-data-dir=data', '--demo', '--models-folder=/m', '--out=o'],
        '/there',
      ),
    ).toEqual({
      userDataFolder: '/there/data',
      demo: { out: '/there/o' },
      saveFolder: '/there/o',
      modelsFolder: '/m',
    });
  });
});
