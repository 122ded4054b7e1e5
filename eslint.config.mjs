// Flat configuration for everything that is TypeScript, Svelte or plain Node here.
// Boundaries between folders are dependency-cruiser's (.dependency-cruiser.mjs), types are tsc's.
import js from '@eslint/js';
import svelte from 'eslint-plugin-svelte';
import globals from 'globals';
import ts from 'typescript-eslint';

const sizeRules = {
  'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
  'max-lines-per-function': ['error', { max: 60, skipBlankLines: true, skipComments: true }],
  complexity: ['error', 25],
  'max-depth': ['error', 5],
};

const typeAwareRules = {
  '@typescript-eslint/no-floating-promises': 'error',
  '@typescript-eslint/no-misused-promises': ['error', { checksVoidReturn: false }],
  '@typescript-eslint/await-thenable': 'error',
  '@typescript-eslint/only-throw-error': 'error',
  // What is not known is `unknown`, and checked before it is used.
  '@typescript-eslint/no-unsafe-argument': 'error',
  '@typescript-eslint/no-unsafe-assignment': 'error',
  '@typescript-eslint/no-unsafe-call': 'error',
  '@typescript-eslint/no-unsafe-enum-comparison': 'error',
  '@typescript-eslint/no-unsafe-member-access': 'error',
  '@typescript-eslint/no-unsafe-return': 'error',
  '@typescript-eslint/no-unsafe-unary-minus': 'error',
  '@typescript-eslint/switch-exhaustiveness-check': [
    'error',
    { considerDefaultExhaustiveForUnions: true },
  ],
};

/** One for all files: two would make the type checker open each project twice. */
const typed = {
  projectService: true,
  extraFileExtensions: ['.svelte'],
  tsconfigRootDir: import.meta.dirname,
};

const sharedRules = {
  'no-console': 'error',
  eqeqeq: 'error',
  'prefer-const': 'error',
  'no-var': 'error',
  'object-shorthand': 'error',
  '@typescript-eslint/no-explicit-any': 'error',
  '@typescript-eslint/consistent-type-imports': 'error',
  '@typescript-eslint/no-non-null-assertion': 'off',
  '@typescript-eslint/no-unused-vars': [
    'error',
    { argsIgnorePattern: '^_', varsIgnorePattern: '^_', caughtErrorsIgnorePattern: '^_' },
  ],
};

export default ts.config(
  {
    ignores: [
      'node_modules/',
      'out/',
      'dist/',
      'demo-out/',
      '.cache/',
      '.venv/',
      'models/',
      'resources/',
      'test/fixtures/',
    ],
  },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  ...ts.configs.recommended,
  ...svelte.configs.recommended,
  { rules: { ...sharedRules, ...sizeRules } },
  {
    files: ['src/**/*.ts', 'bench/**/*.ts', 'test/**/*.ts'],
    languageOptions: { parserOptions: typed },
    rules: typeAwareRules,
  },
  {
    files: [
      ...['base', 'library', 'server', 'main', 'worker', 'cli'].map((room) => `src/${room}/**`),
      ...['bench/**', 'scripts/**', 'test/**', '*.ts', '*.mjs'],
    ],
    languageOptions: { globals: globals.node },
  },
  {
    files: ['src/renderer/**', 'test/renderer/**', 'test/e2e/**'],
    languageOptions: { globals: globals.browser },
  },
  {
    files: ['src/renderer/**/*.svelte', 'src/renderer/**/*.svelte.ts'],
    languageOptions: { parserOptions: { ...typed, parser: ts.parser } },
    rules: {
      ...typeAwareRules,
      // Svelte's compiler and svelte-check know which bindings a template uses.
      'prefer-const': 'off',
    },
  },
  {
    // Here every component is `any`, and so is what it hands to a callback in a template: 37 reports, none of them true
    // (2026-11-24). svelte-check types those callbacks.
    files: ['src/renderer/**/*.svelte'],
    rules: {
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  {
    // What a type can say is not asserted. A line that must is disabled by itself, with its reason.
    files: ['src/worker/**/*.ts'],
    rules: {
      '@typescript-eslint/consistent-type-assertions': ['error', { assertionStyle: 'never' }],
      '@typescript-eslint/no-non-null-assertion': 'error',
    },
  },
  {
    // Loops over numbers: an index below the length is a number, which noUncheckedIndexedAccess cannot know, and a
    // check a number costs more than the arithmetic.
    files: [
      'src/worker/inputs/codec/decode.ts',
      'src/worker/inputs/image.ts',
      'src/worker/inputs/resize.ts',
      'src/worker/pipelines/drawing/decode-latents.ts',
      'src/worker/pipelines/drawing/painter.ts',
      'src/worker/sampling/scheduler.ts',
      'src/worker/weights/convert.ts',
      'src/worker/weights/finite.ts',
      'src/worker/weights/eight-bit.ts',
      'src/worker/weights/quantise.ts',
    ],
    rules: { '@typescript-eslint/no-non-null-assertion': 'off' },
  },
  {
    // Programs that talk to a terminal.
    files: ['bench/**', 'scripts/**', 'src/cli/**', 'test/e2e/**', 'wdio.conf.ts'],
    rules: { 'no-console': 'off' },
  },
  {
    // The runner reads the limit of a test or hook before it calls it: only a suite can set one (wdio.conf.ts).
    files: ['test/e2e/**'],
    rules: {
      'no-restricted-syntax': [
        'error',
        {
          selector:
            'CallExpression[callee.name=/^(it|before|after|beforeEach|afterEach)$/] > FunctionExpression CallExpression[callee.object.type="ThisExpression"][callee.property.name="timeout"]',
          message: 'A limit is heard from the suite alone: say it in the function of describe.',
        },
      ],
    },
  },
  {
    // Catalogues: a list is read where it is looked up, and two halves of it would be looked up twice.
    files: ['src/shared/texts/**', 'src/shared/contracts/**', 'src/renderer/test-ids.ts'],
    rules: { 'max-lines': ['error', { max: 450, skipBlankLines: true, skipComments: true }] },
  },
  {
    // A test file is a table of cases: its length says nothing.
    files: ['test/**'],
    rules: { 'max-lines-per-function': 'off', 'max-lines': 'off' },
  },
);
