/** What DESIGN.md says is there: files it names exist, ops are named after ONNX's and tested. */
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as graph from '../../src/worker/graph/index.ts';
import * as ops from '../../src/worker/graph/ops/index.ts';
import { LanguageModel } from '../../src/worker/pipelines/language/language-model.ts';
import { Painter } from '../../src/worker/pipelines/drawing/painter.ts';
import { KeyValueCache } from '../../src/worker/pipelines/language/key-value-cache.ts';
import { Sequence } from '../../src/worker/pipelines/language/sequence.ts';
import { Vision } from '../../src/worker/pipelines/vision/vision.ts';

const root = join(import.meta.dirname, '..', '..');
const worker = join(root, 'src', 'worker');
const design = readFileSync(join(worker, 'DESIGN.md'), 'utf8');

function exists(path: string): boolean {
  const folders = readdirSync(worker, { withFileTypes: true }).filter((each) => each.isDirectory());
  const candidates = [
    root,
    worker,
    ...folders.map(({ name }) => join(worker, name)),
    join(worker, 'networks/llama'),
  ];
  return candidates.some((folder) => existsSync(join(folder, path)));
}

/** Ops whose numbers the tests of the networks prove, against PyTorch. */
const provedByNetworks = [
  'groupQueryAttention',
  'rotaryEmbedding',
  'gatherBlockQuantized',
  'matMulNBits',
];

describe('DESIGN.md', () => {
  it('names files that exist', () => {
    const named = [...design.matchAll(/`([\w/.-]+\.ts)`/g)].map(([, path]) => path as string);
    expect(named.length).toBeGreaterThan(5);
    expect(
      named.filter(
        (path) =>
          !path.includes('<') && !exists(path) && !/^(config|weights|build)\.ts$/.test(path),
      ),
    ).toEqual([]);
  });

  it('names methods that exist', () => {
    const methods = [...design.matchAll(/^- `(\w+)[(`]/gm)].map(([, name]) => name as string);
    const known = [
      ...Object.getOwnPropertyNames(LanguageModel.prototype),
      ...Object.getOwnPropertyNames(KeyValueCache.prototype),
      'sampling',
      ...[Sequence, Vision, Painter].map(({ name }) => name),
    ];
    // A list that changed its form would be empty, and prove nothing.
    expect(methods.length).toBeGreaterThan(5);
    expect(methods.filter((name) => !known.includes(name))).toEqual([]);
    for (const name of [
      'finishGraph',
      'serialise',
      'compareWeights',
      'withShape',
      'labelled',
      'loop',
      'ifElse',
    ]) {
      expect(design).toContain(name);
      expect(graph).toHaveProperty(name);
    }
  });

  it('holds for every op: a test computes with it', () => {
    const tests = readdirSync(join(root, 'test/worker/graph')).map((file) =>
      readFileSync(join(root, 'test/worker/graph', file), 'utf8'),
    );
    const networks = readdirSync(join(worker, 'networks'), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts'))
      .map((file) => readFileSync(join(worker, 'networks', file), 'utf8'));
    const used = (name: string, files: string[]): boolean =>
      files.some((file) => new RegExp(`\\b${name}\\(`).test(file));
    const untested = Object.keys(ops).filter(
      (name) => !used(name, tests) && !(provedByNetworks.includes(name) && used(name, networks)),
    );
    expect(untested).toEqual([]);
  });
});
