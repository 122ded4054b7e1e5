// The boundary rules must bite: each planted violation, in a copy of the folder layout, is reported by
// the rule that is for it, and a clean copy is not.
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');

/** [importing file, import, rule] */
const violations: readonly (readonly [string, string, string])[] = [
  ['src/shared/a1.ts', "import '../main/target.ts';", 'shared-imports-nothing-of-ours'],
  ['src/shared/a2.ts', "import 'sharp';", 'shared-uses-only-the-schema-library'],
  ['src/base/h1.ts', "import '../library/target.ts';", 'base-imports-shared'],
  ['src/library/h2.ts', "import '../main/target.ts';", 'library-imports-base-and-shared'],
  ['src/main/b1.ts', "import '../worker/target.ts';", 'main-imports-shared'],
  ['src/main/preload/b2.ts', "import '../target.ts';", 'preload-imports-shared'],
  ['src/main/preload/b3.ts', "import 'node:fs';", 'preload-uses-only-electron'],
  ['src/renderer/c1.ts', "import '../main/target.ts';", 'renderer-imports-shared'],
  ['src/renderer/c2.ts', "import 'node:fs';", 'renderer-has-no-node-builtin'],
  ['src/renderer/c3.ts', "import 'better-sqlite3';", 'renderer-has-no-node'],
  ['src/renderer/components/c4.ts', "import '../api.ts';", 'components-are-small'],
  ['src/worker/d1.ts', "import '../main/target.ts';", 'worker-imports-shared'],
  ['src/worker/d2.ts', "import 'better-sqlite3';", 'worker-has-no-electron-or-database'],
  ['src/worker/d3.ts', "import 'node:https';", 'worker-has-no-network'],
  ['src/worker/d4.ts', "import 'onnxruntime-node';", 'onnx-runtime-is-loaded-in-one-place'],
  ['src/worker/graph/d4.ts', "import '../weights/target.ts';", 'graph-stands-alone'],
  ['src/worker/sampling/d5.ts', "import '../graph/target.ts';", 'sampling-stands-alone'],
  [
    'src/worker/networks/d6.ts',
    "import '../runtime/target.ts';",
    'networks-import-graph-and-weights',
  ],
  ['src/worker/runtime/d7.ts', "import '../networks/target.ts';", 'runtime-knows-no-network'],
  ['src/worker/weights/d8.ts', "import '../graph/target.ts';", 'weights-stand-alone'],
  ['src/worker/inputs/d9.ts', "import '../networks/target.ts';", 'inputs-stand-alone'],
  ['src/worker/pipelines/d10.ts', "import '../graph/target.ts';", 'pipelines-import'],
  ['src/worker/conversion/d11.ts', "import '../graph/target.ts';", 'conversion-imports'],
  ['src/worker/conversion/d12.ts', "import '../d13.ts';", 'conversion-runs-no-network'],
  ['src/cli/e1.ts', "import '../renderer/target.ts';", 'cli-imports-shared-worker-and-pure-main'],
  ['src/worker/f1.ts', "import './f2.ts';", 'no-cycles'],
  ['src/worker/g1.ts', "import '../../test/target.ts';", 'nothing-imports-test'],
  ['bench/i1.ts', "import '../test/target.ts';", 'nothing-imports-test'],
  ['scripts/i2.mjs', "import './not-there.mjs';", 'no-unresolvable'],
  ['src/worker/g2.ts', "import './not-there.ts';", 'no-unresolvable'],
];

const folders = [
  ...[
    'shared',
    'base',
    'library',
    'main',
    'main/preload',
    'renderer',
    'renderer/components',
    'worker',
    'cli',
  ],
  ...[
    'graph',
    'weights',
    'networks',
    'runtime',
    'inputs',
    'sampling',
    'tensor',
    'pipelines',
    'conversion',
  ].map((name) => `worker/${name}`),
];

type Violation = { readonly from: string; readonly rule: { readonly name: string } };

/** dependency-cruiser's findings in a copy of the layout with these files. */
function cruise(files: readonly (readonly [string, string])[]): Promise<readonly Violation[]> {
  const copy = mkdtempSync(path.join(os.tmpdir(), 'textbind-boundaries-'));
  copies.push(copy);
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
    mkdirSync(path.join(copy, 'src', folder), { recursive: true });
    writeFileSync(path.join(copy, 'src', folder, 'target.ts'), 'export const target = 1;\n');
  }
  writeFileSync(path.join(copy, 'src/renderer/api.ts'), 'export const api = 1;\n');
  for (const folder of ['test', 'bench', 'scripts']) mkdirSync(path.join(copy, folder));
  writeFileSync(path.join(copy, 'bench/target.ts'), 'export const target = 1;\n');
  writeFileSync(path.join(copy, 'test/target.ts'), 'export const target = 1;\n');
  for (const [file, text] of files) writeFileSync(path.join(copy, file), `${text}\nexport {};\n`);
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

const copies: string[] = [];
afterAll(() => {
  for (const copy of copies) rmSync(copy, { recursive: true, force: true });
});

describe('boundaries', () => {
  let found: readonly Violation[] = [];
  beforeAll(async () => {
    const others = [
      ['src/worker/f2.ts', "import './f1.ts';"],
      ['src/worker/d13.ts', "import './runtime/target.ts';"],
    ] as const;
    found = await cruise([...violations.map(([file, text]) => [file, text] as const), ...others]);
  });

  it.each(violations)('%s with %s breaks %s', (file, _text, rule) => {
    expect(found.filter(({ from }) => from === file).map((one) => one.rule.name)).toContain(rule);
  });

  it('finds nothing where imports are as they should be', async () => {
    const clean = await cruise([
      ['src/main/a.ts', "import '../shared/target.ts';"],
      ['src/worker/pipelines/b.ts', "import '../networks/target.ts';\nimport 'sharp';"],
      ['src/worker/networks/c.ts', "import '../graph/target.ts';"],
      ['src/cli/d.ts', "import '../worker/target.ts';"],
      ['src/renderer/e.ts', "import '../shared/target.ts';"],
    ]);
    expect(clean).toEqual([]);
  });
});
