// The boundary rules must bite: each planted violation, in a copy of the folder layout, is reported by
// the rule that is for it, and a clean copy is not.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import config from '../.dependency-cruiser.mjs';
import { temporaryFolderForAll } from './support/temporary-folder.ts';

const root = path.resolve(import.meta.dirname, '..');

/** A file that imports what it must not. */
interface Plant {
  readonly file: string;
  readonly text: string;
  /** The rule that is for it. */
  readonly rule: string;
}

const plant = (rule: string, file: string, ...imports: readonly string[]): Plant => ({
  rule,
  file,
  text: imports.map((target) => `import '${target}';`).join('\n'),
});

const plants: readonly Plant[] = [
  plant('no-cycles', 'src/worker/a1.ts', './a2.ts'),
  plant('no-cycles', 'bench/a1.ts', './a2.ts'),
  plant('nothing-imports-test', 'src/worker/a3.ts', '../../test/target.ts'),
  plant('nothing-imports-test', 'bench/a3.ts', '../test/target.ts'),
  plant('nothing-imports-test', 'scripts/a3.mjs', '../test/target.ts'),
  plant('no-unresolvable', 'src/worker/a4.ts', './not-there.ts'),
  plant('no-unresolvable', 'bench/a4.ts', './not-there.ts'),
  plant('no-unresolvable', 'scripts/a4.mjs', './not-there.mjs'),
  plant('no-dev-dependency-at-run-time', 'src/main/a5.ts', 'acorn'),

  plant('shared-imports-nothing-of-ours', 'src/shared/b1.ts', '../main/target.ts'),
  plant('shared-uses-only-the-schema-library', 'src/shared/b2.ts', 'sharp'),
  plant('shared-uses-only-the-schema-library', 'src/shared/b3.ts', 'node:fs'),
  plant('base-imports-shared', 'src/base/b4.ts', '../library/target.ts'),
  plant('library-imports-base-and-shared', 'src/library/b5.ts', '../main/target.ts'),
  plant('server-imports-base-and-shared', 'src/server/b8.ts', '../main/target.ts'),
  plant('server-imports-base-and-shared', 'src/server/b9.ts', '../worker/target.ts'),
  plant('server-uses-only-node-and-the-schema-library', 'src/server/b10.ts', 'sharp'),
  plant('ground-floor-runs-in-plain-node', 'src/base/b6.ts', 'electron'),
  plant('ground-floor-runs-in-plain-node', 'src/library/b7.ts', 'sharp'),

  plant('main-imports-shared', 'src/main/c1.ts', '../worker/target.ts'),
  plant('preload-imports-shared', 'src/main/preload/c2.ts', '../target.ts'),
  plant('preload-uses-only-electron', 'src/main/preload/c3.ts', 'node:fs'),
  // ipcMain is Electron's: conversations answer nobody by themselves.
  {
    rule: 'electron-only-where-main-says',
    file: 'src/main/conversations/c4.ts',
    text: "import { ipcMain } from 'electron';\nvoid ipcMain;",
  },
  plant('electron-only-where-main-says', 'src/main/ipc/c5.ts', 'electron'),
  plant('electron-only-where-main-says', 'src/main/studio.ts', 'electron'),
  plant('electron-only-where-main-says', 'src/worker/c6.ts', 'electron'),
  plant('electron-only-where-main-says', 'bench/c7.ts', 'electron'),
  plant('electron-only-where-main-says', 'scripts/c8.mjs', 'electron'),
  plant('electron-by-type-where-it-is-handed-in', 'src/main/demo/c9.ts', 'electron'),
  plant('database-is-the-lowest', 'src/main/database/c10.ts', '../conversations/target.ts'),
  plant('database-is-the-lowest', 'src/main/database/c11.ts', '../pictures/target.ts'),
  plant('pictures-stand-on-the-database', 'src/main/pictures/c12.ts', '../conversations/target.ts'),
  plant('conversations-stand-on-pictures', 'src/main/conversations/c13.ts', '../ipc/target.ts'),
  plant(
    'processes-know-no-conversation',
    'src/main/processes/c14.ts',
    '../conversations/target.ts',
  ),
  plant('protocols-are-functions', 'src/main/protocols/c15.ts', '../pictures/target.ts'),
  plant('sqlite-only-in-the-database', 'src/main/conversations/c16.ts', 'better-sqlite3'),
  plant('sqlite-only-in-the-database', 'src/worker/c17.ts', 'better-sqlite3'),

  plant('renderer-imports-shared', 'src/renderer/d1.ts', '../main/target.ts'),
  plant('renderer-has-no-node-builtin', 'src/renderer/d2.ts', 'node:fs'),
  plant('renderer-has-no-node', 'src/renderer/d3.ts', 'better-sqlite3'),
  plant('components-are-small', 'src/renderer/components/d4.ts', '../api.ts'),
  plant('state-has-no-markup', 'src/renderer/state/d5.svelte.ts', '../views/target.ts'),
  plant('nothing-imports-fake-or-preview', 'src/renderer/views/d6.ts', '../fake/target.ts'),
  plant('nothing-imports-fake-or-preview', 'src/renderer/d7.ts', './preview/target.ts'),
  {
    rule: 'nothing-imports-fake-or-preview',
    file: 'src/renderer/views/D8.svelte',
    text: '<script lang="ts">\n  import { target } from \'../fake/target.ts\';\n</script>\n{target}',
  },

  plant('worker-imports-shared', 'src/worker/e1.ts', '../main/target.ts'),
  plant('worker-has-no-network', 'src/worker/e2.ts', 'node:https'),
  plant('onnx-runtime-only-in-runtime', 'src/worker/graph/e3.ts', 'onnxruntime-node'),
  plant('onnx-runtime-only-in-runtime', 'src/cli/e4.ts', 'onnxruntime-node'),
  {
    rule: 'onnx-runtime-only-in-runtime',
    file: 'src/worker/pipelines/e5.ts',
    text: "import type { Tensor } from 'onnxruntime-node';\nexport type T = Tensor;",
  },
  plant('onnx-runtime-is-loaded-in-one-place', 'src/worker/runtime/e6.ts', 'onnxruntime-node'),
  plant('sharp-is-loaded-as-webassembly', 'src/worker/inputs/codec/e21.ts', 'sharp'),
  plant('sharp-is-loaded-as-webassembly', 'src/cli/f7.ts', 'sharp'),
  plant('pictures-are-decoded-without-ways-out', 'src/worker/inputs/e22.ts', './codec/decode.ts'),
  plant('pure-rooms-use-no-node', 'src/worker/graph/e7.ts', 'node:fs'),
  plant('pure-rooms-use-no-node', 'src/worker/sampling/e8.ts', 'node:crypto'),
  plant('pure-rooms-use-no-package', 'src/worker/graph/e9.ts', 'zod'),
  plant('pure-rooms-use-no-package', 'src/worker/sampling/e10.ts', 'sharp'),
  plant('tensor-stands-alone', 'src/worker/tensor/e11.ts', '../graph/target.ts'),
  plant('graph-stands-alone', 'src/worker/graph/e12.ts', '../weights/target.ts'),
  plant('sampling-stands-alone', 'src/worker/sampling/e13.ts', '../graph/target.ts'),
  plant('networks-import-graph-and-weights', 'src/worker/networks/e14.ts', '../runtime/target.ts'),
  plant('runtime-knows-no-network', 'src/worker/runtime/e15.ts', '../networks/target.ts'),
  plant('weights-stand-alone', 'src/worker/weights/e16.ts', '../graph/target.ts'),
  plant('inputs-stand-alone', 'src/worker/inputs/e17.ts', '../networks/target.ts'),
  plant('pipelines-import', 'src/worker/pipelines/e18.ts', '../graph/target.ts'),
  plant('conversion-imports', 'src/worker/conversion/e19.ts', '../graph/target.ts'),
  plant('conversion-runs-no-network', 'src/worker/conversion/e20.ts', '../pipelines/runs.ts'),

  plant('training-stands-alone', 'src/main/training/c9.ts', '../conversations/target.ts'),
  plant('recipe-stands-on-training', 'src/main/recipe/c10.ts', '../database/target.ts'),

  plant('cli-imports-shared-worker-and-pure-main', 'src/cli/f1.ts', '../renderer/target.ts'),
  plant('cli-has-no-electron', 'src/cli/f2.ts', '../main/conversations/c4.ts'),
  plant('bench-measures-what-ships', 'bench/f3.ts', '../src/renderer/target.ts'),
  plant('scripts-load-packages-late', 'scripts/setup/f5.mjs', 'zod'),
  plant('scripts-load-packages-late', 'scripts/f6.mjs', 'zod'),
  plant('scripts-import-no-source', 'scripts/f4.mjs', '../src/base/target.ts'),
];

/** What plants lead to. */
const ways: readonly (readonly [string, string])[] = [
  ['src/worker/a2.ts', "import './a1.ts';"],
  ['bench/a2.ts', "import './a1.ts';"],
  ['src/worker/pipelines/runs.ts', "import '../runtime/target.ts';"],
  ['src/worker/inputs/codec/decode.ts', 'export const decode = 1;'],
];

const rooms = [
  ...['shared', 'base', 'library', 'server', 'main', 'renderer', 'worker', 'cli'],
  ...[
    'preload',
    'conversations',
    'database',
    'pictures',
    'processes',
    'protocols',
    'ipc',
    'demo',
    'training',
    'recipe',
  ].map((name) => `main/${name}`),
  ...['components', 'state', 'views', 'fake', 'preview'].map((name) => `renderer/${name}`),
  ...['graph', 'tensor', 'weights', 'networks', 'runtime', 'inputs', 'sampling'].map(
    (name) => `worker/${name}`,
  ),
  ...['pipelines', 'conversion', 'inputs/codec'].map((name) => `worker/${name}`),
];
const folders = [...rooms.map((room) => `src/${room}`), 'bench', 'scripts/setup', 'test'];

type Violation = { readonly from: string; readonly rule: { readonly name: string } };

/** dependency-cruiser's findings in a copy of the layout with these files. */
function cruise(files: readonly (readonly [string, string])[]): Promise<readonly Violation[]> {
  const copy = mkdtempSync(path.join(copies, 'copy-'));
  for (const name of [
    '.dependency-cruiser.mjs',
    'tsconfig.json',
    'tsconfig.base.json',
    'package.json',
  ]) {
    cpSync(path.join(root, name), path.join(copy, name));
  }
  symlinkSync(path.join(root, 'node_modules'), path.join(copy, 'node_modules'));
  for (const folder of folders) {
    mkdirSync(path.join(copy, folder), { recursive: true });
    writeFileSync(path.join(copy, folder, 'target.ts'), 'export const target = 1;\n');
  }
  writeFileSync(path.join(copy, 'src/renderer/api.ts'), 'export const api = 1;\n');
  for (const [file, text] of files) {
    const end = file.endsWith('.svelte') ? '' : 'export {};\n';
    writeFileSync(path.join(copy, file), `${text}\n${end}`);
  }
  const program = path.join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs');
  const args = [
    program,
    '--config',
    '.dependency-cruiser.mjs',
    '--output-type',
    'json',
    'src',
    'bench',
    'scripts',
  ];
  return new Promise((resolve, reject) => {
    const options = { cwd: copy, maxBuffer: 64e6 };
    execFile(process.execPath, args, options, (_error, stdout, stderr) => {
      try {
        const report = JSON.parse(stdout) as { summary: { violations: Violation[] } };
        resolve(report.summary.violations);
      } catch {
        reject(new Error(stderr || stdout));
      }
    });
  });
}

const copies = temporaryFolderForAll();

describe('boundaries', () => {
  let found: readonly Violation[] = [];
  beforeAll(async () => {
    found = await cruise([...plants.map(({ file, text }) => [file, text] as const), ...ways]);
  });

  it.each(plants)('$rule catches $file', ({ file, rule }) => {
    expect(found.filter(({ from }) => from === file).map((one) => one.rule.name)).toContain(rule);
  });

  it('has a plant for every rule', () => {
    const names = config.forbidden.map(({ name }) => name);
    expect([...new Set(plants.map(({ rule }) => rule))].sort()).toEqual([...names].sort());
  });

  it('finds nothing where imports are as they should be', async () => {
    const clean = await cruise([
      ['src/main/a.ts', "import '../shared/target.ts';\nimport '../library/target.ts';"],
      ['src/main/window.ts', "import 'electron';\nimport './conversations/target.ts';"],
      ['src/main/conversations/a.ts', "import '../pictures/target.ts';"],
      ['src/main/pictures/a.ts', "import '../database/target.ts';"],
      [
        'src/worker/pipelines/b.ts',
        "import '../networks/target.ts';\nimport type S from 'sharp';\nexport type T = S;",
      ],
      ['src/worker/networks/c.ts', "import '../graph/target.ts';"],
      ['src/worker/graph/d.ts', "import '@bufbuild/protobuf/wire';\nimport '../tensor/target.ts';"],
      ['src/worker/runtime/onnx-runtime.ts', "import 'onnxruntime-node';"],
      [
        'src/cli/e.ts',
        "import '../worker/target.ts';\nimport '../server/target.ts';\nimport '../main/processes/target.ts';",
      ],
      ['src/server/j.ts', "import 'node:http';\nimport 'zod';\nimport '../base/target.ts';"],
      ['src/main/k.ts', "import '../server/target.ts';"],
      ['src/renderer/f.ts', "import '../shared/target.ts';\nimport './views/target.ts';"],
      ['scripts/setup/i.mjs', "export const zod = () => import('zod');"],
      ['bench/h.ts', "import '../src/worker/target.ts';\nimport '../scripts/setup/target.ts';"],
    ]);
    expect(clean).toEqual([]);
  });
});
