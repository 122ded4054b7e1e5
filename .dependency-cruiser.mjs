// Who may import whom: architecture.md's table as rules. test/boundaries.test.ts proves that they bite.

/**
 * A rule that lets files under `from` import, within src/, only what `allowed` matches.
 * @param {string} name
 * @param {string} from regular expression of importing files
 * @param {string[]} allowed regular expressions of importable files under src/
 * @param {string} comment
 */
const only = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: '^src/', pathNot: allowed },
});

export default {
  forbidden: [
    {
      name: 'no-cycles',
      severity: 'error',
      comment: 'No cycles. Types that two files share belong in a third.',
      from: { path: '^(src|bench|scripts)/' },
      // An import of types alone vanishes when built, but it is a cycle to a reader all the same.
      to: { circular: true },
    },
    only('shared-imports-nothing-of-ours', '^src/shared/', ['^src/shared/'], 'shared stands alone'),
    {
      name: 'shared-uses-only-the-schema-library',
      severity: 'error',
      comment: 'shared runs anywhere: zod and nothing else',
      from: { path: '^src/shared/' },
      to: { pathNot: ['^src/shared/', '(^|/)node_modules/zod/'] },
    },
    only(
      'base-imports-shared',
      '^src/base/',
      ['^src/(base|shared)/'],
      'base: the ground floor over shared',
    ),
    only(
      'library-imports-base-and-shared',
      '^src/library/',
      ['^src/(library|base|shared)/'],
      'library: models on disk, over base and shared',
    ),
    only(
      'main-imports-shared',
      '^src/main/',
      // The demo presses the window's buttons by the ids that end-to-end tests use.
      ['^src/(main|library|base|shared)/', '^src/renderer/test-ids[.]ts$'],
      'main knows the worker by file path and protocol only',
    ),
    only(
      'preload-imports-shared',
      '^src/main/preload/',
      ['^src/main/preload/', '^src/shared/'],
      'preload has no logic',
    ),
    {
      name: 'preload-uses-only-electron',
      severity: 'error',
      comment: 'a sandboxed preload can require electron alone',
      from: { path: '^src/main/preload/' },
      to: { pathNot: ['^src/', '(^|/)node_modules/(electron|zod)/', '^electron$'] },
    },
    only(
      'renderer-imports-shared',
      '^src/renderer/',
      ['^src/renderer/', '^src/shared/'],
      'the renderer sees the world through window.api',
    ),
    {
      name: 'renderer-has-no-node',
      severity: 'error',
      comment: 'the renderer is sandboxed: no Node, no Electron, no native modules',
      from: { path: '^src/renderer/' },
      to: {
        path: [
          '^node:',
          '^electron$',
          '(^|/)node_modules/(electron|onnxruntime-node|better-sqlite3|sharp|electron-log)/',
        ],
      },
    },
    {
      name: 'renderer-has-no-node-builtin',
      severity: 'error',
      comment: 'the renderer is sandboxed: no Node',
      from: { path: '^src/renderer/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'components-are-small',
      severity: 'error',
      comment: 'components: no api, no global state',
      from: { path: '^src/renderer/components/' },
      to: { path: ['^src/renderer/api', '^src/renderer/state/', '^src/renderer/views/'] },
    },
    only(
      'worker-imports-shared',
      '^src/worker/',
      ['^src/(worker|library|base|shared)/'],
      'worker: no main, no renderer, no cli',
    ),
    {
      name: 'worker-has-no-electron-or-database',
      severity: 'error',
      comment: 'the engine: no Electron, no database',
      from: { path: '^src/worker/' },
      to: { path: ['^electron$', '(^|/)node_modules/(electron|better-sqlite3)/'] },
    },
    {
      name: 'worker-has-no-network',
      severity: 'error',
      comment: 'the engine opens no connection',
      from: { path: '^src/worker/' },
      to: { path: '^(node:)?(http|https|http2|net|tls|dgram|dns)$' },
    },
    {
      name: 'onnx-runtime-is-loaded-in-one-place',
      severity: 'error',
      comment:
        'runtime/onnx-runtime.ts turns its telemetry off before it loads it; types may be imported anywhere',
      from: { path: '^(src|scripts|bench)/', pathNot: '^src/worker/runtime/onnx-runtime[.]ts$' },
      to: { path: '(^|/)node_modules/onnxruntime-node/', dependencyTypesNot: ['type-only'] },
    },
    only(
      'graph-stands-alone',
      '^src/worker/graph/',
      ['^src/worker/(graph|tensor)/', '^src/shared/(domain/|errors)'],
      'graph is pure',
    ),
    only(
      'sampling-stands-alone',
      '^src/worker/sampling/',
      ['^src/worker/sampling/', '^src/shared/(domain/|errors)'],
      'sampling is pure numbers',
    ),
    only(
      'networks-import-graph-and-weights',
      '^src/worker/networks/',
      ['^src/worker/(networks|graph|weights|tensor)/', '^src/(base|shared)/'],
      'networks import graph and weights',
    ),
    only(
      'weights-stand-alone',
      '^src/worker/weights/',
      ['^src/worker/(weights|tensor)/', '^src/(base|shared)/'],
      'weights are read without knowing a network or a session',
    ),
    only(
      'runtime-knows-no-network',
      '^src/worker/runtime/',
      ['^src/worker/runtime/', '^src/(base|shared)/'],
      'runtime and networks meet as ONNX files',
    ),
    only(
      'inputs-stand-alone',
      '^src/worker/inputs/',
      ['^src/worker/inputs/', '^src/(base|shared)/'],
      'inputs know no network',
    ),
    only(
      'pipelines-import',
      '^src/worker/pipelines/',
      [
        '^src/worker/(pipelines|networks|runtime|inputs|sampling|weights)/',
        '^src/(library|base|shared)/',
      ],
      'pipelines import networks, runtime, inputs, sampling, weights',
    ),
    only(
      'conversion-imports',
      '^src/worker/conversion/',
      [
        '^src/worker/(conversion|networks|inputs|weights|pipelines)/',
        '^src/(library|base|shared)/',
      ],
      'conversion reads and writes models',
    ),
    {
      name: 'conversion-runs-no-network',
      severity: 'error',
      comment: "conversion checks and writes weights; the runtime is the caller's",
      from: { path: '^src/worker/conversion/' },
      to: { path: '^src/worker/runtime/', reachable: true },
    },
    only(
      'cli-imports-shared-worker-and-pure-main',
      '^src/cli/',
      ['^src/(cli|library|base|shared|worker)/', '^src/main/(training|conversations|database)/'],
      'cli: shared, worker, and the pure parts of main',
    ),
    {
      name: 'cli-has-no-electron',
      severity: 'error',
      comment: 'the command runs without Electron, through whatever it imports',
      from: { path: '^src/cli/' },
      to: { path: ['^electron$', '(^|/)node_modules/electron/'], reachable: true },
    },
    {
      name: 'nothing-imports-test',
      severity: 'error',
      comment: 'nothing imports test',
      from: { path: '^(src|bench|scripts)/' },
      to: { path: '^test/' },
    },
    {
      name: 'no-unresolvable',
      severity: 'error',
      comment: 'an import that resolves to nothing',
      from: { path: '^(src|bench|scripts)/' },
      to: { couldNotResolve: true, pathNot: ['\\?'] },
    },
    {
      name: 'no-dev-dependency-at-run-time',
      severity: 'error',
      comment: 'what main, worker and cli load unbundled ships with the app',
      from: { path: '^src/(base|library|main|worker|cli|shared)/' },
      to: { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    },
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(out|dist|\\.cache)/' },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'svelte', 'browser', 'types', 'default'],
      extensions: ['.ts', '.js', '.mjs', '.svelte', '.json', '.css'],
    },
    builtInModules: { add: ['electron'] },
  },
};
