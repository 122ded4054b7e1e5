/**
 * What documents name is there. Of each DESIGN.md, CONTRIBUTING.md and README.md: files and folders exist (or are
 * written by the code), and identifiers, options and environment variables stand in the sources that it speaks of.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
const skipped = new Set(['node_modules', 'out', 'dist', 'demo-out', 'fixtures', '__pycache__']);

/** Files below a folder, relative to the root, with forward slashes. */
function filesBelow(folder: string): string[] {
  return readdirSync(path.join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const name = path.posix.join(folder, entry.name);
    if (entry.isDirectory()) {
      const isHidden = entry.name.startsWith('.') && entry.name !== '.github';
      return skipped.has(entry.name) || isHidden ? [] : filesBelow(name);
    }
    return entry.isFile() ? [name] : [];
  });
}

const files = filesBelow('.');
const folders = new Set(files.flatMap((file) => parentsOf(file)));
const documents = files.filter((file) => /(^|\/)(DESIGN|CONTRIBUTING|README)\.md$/.test(file));
const sourceFiles = files.filter(
  (file) => /\.(ts|mjs|svelte|py|sql|css|html|yml|toml)$/.test(file) || file === 'package.json',
);

function parentsOf(file: string): string[] {
  const parent = path.posix.dirname(file);
  return parent === '.' ? [] : [parent, ...parentsOf(parent)];
}

/** All that stands in the sources. A name of another room is as good: documents speak of their neighbours. */
const sources = sourceFiles
  .filter((file) => file !== 'test/design.test.ts' && statSync(path.join(root, file)).size < 1e6)
  .map((file) => readFileSync(path.join(root, file), 'utf8'))
  .join('\n');
const words = new Set(sources.match(/[A-Za-z_$][\w$]*/g));

/** Names of others' formats and libraries, which our sources need not spell. */
const foreign: ReadonlySet<string> = new Set(['LICENSES.chromium.html', 'avx512_bf16']);

/** What a text puts between backticks, code blocks apart. */
function spans(text: string): string[] {
  const prose = text.replaceAll(/^```.*?^```/gms, '');
  return [...prose.matchAll(/`([^`\n]+)`/g)].map(([, span]) => span ?? '');
}

const textOf = (document: string): string => readFileSync(path.join(root, document), 'utf8');

function isThere(name: string): boolean {
  const wanted = name.replace(/^\.?\//, '').replace(/\/$/, '');
  if (name.endsWith('/')) {
    return [...folders].some((folder) => folder === wanted || folder.endsWith(`/${wanted}`));
  }
  return files.some((file) => file === wanted || file.endsWith(`/${wanted}`));
}

/** Data that the code writes or reads on a person's disk is spelled in it; code itself must be there. */
function isSpelled(name: string): boolean {
  if (/\.(ts|mjs|svelte|py)$/.test(name)) return false;
  return sources.includes(name.endsWith('/') ? name.slice(0, -1) : path.posix.basename(name));
}

const isFile = (span: string): boolean =>
  /^[\w@.][\w@./-]*\.(ts|mjs|svelte|py|json|md|yml|toml|css|html)$/.test(span);
/** A name in capitals, as OUTPUT/, stands for whatever folder a person chose. */
const isFolder = (span: string): boolean =>
  /^[\w.@][\w.@/-]*\/$/.test(span) && !/^[A-Z]+\//.test(span);
/** camelCase, PascalCase or snake_case, alone or called or with members. */
const isIdentifier = (span: string): boolean =>
  /^[A-Za-z_]\w*(\.\w+)*(\(.*\))?$/.test(span) && /[a-z][A-Z]|_|\(/.test(span);

/** The trainer spells a run file's `batchSize` as `batch_size`. */
const snakeCase = (name: string): string =>
  name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);

function missing(text: string): string[] {
  return spans(text).filter((span) => {
    if (foreign.has(span)) return false;
    if (isFile(span)) return !isThere(span) && !isSpelled(span);
    if (isFolder(span)) return !isThere(span) && !isSpelled(span);
    if (/^--[a-z][\w-]*$/.test(span)) return !sources.includes(span.slice(2));
    if (isIdentifier(span)) {
      const names = span.replace(/\(.*$/, '').split('.');
      return !names.every((name) => words.has(name) || words.has(snakeCase(name)));
    }
    return false;
  });
}

describe('documents', () => {
  it('are found: one for each part', () => {
    expect(documents).toEqual(
      expect.arrayContaining([
        'README.md',
        'CONTRIBUTING.md',
        ...['main', 'renderer', 'worker', 'cli'].map((room) => `src/${room}/DESIGN.md`),
        'scripts/DESIGN.md',
        'resources/trainer/DESIGN.md',
      ]),
    );
  });

  it('name enough that this test says something', () => {
    const named = documents
      .flatMap((document) => spans(textOf(document)))
      .filter((span) => isFile(span) || isIdentifier(span));
    expect(named.length).toBeGreaterThan(100);
  });

  it.each(documents)('%s names what is there', (document) => {
    expect(missing(textOf(document))).toEqual([]);
  });

  it('of which a false one is caught', () => {
    const wrong = [
      'src/worker/graph/nowhere.ts',
      'worker/nowhere/',
      'noSuchFunction(x)',
      'Session.noSuchMethod',
      '--no-such-option',
    ];
    const right = ['src/worker/graph/value.ts', 'worker/graph/', 'serialise(graph)', '--greedy'];
    const text = [...wrong, ...right].map((name) => `\`${name}\``).join(', ');
    expect(missing(text)).toEqual(wrong);
  });
});
