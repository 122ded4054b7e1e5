// Who may import whom: architecture.md's table as rules. test/boundaries.test.ts plants a violation of each rule and
// proves that it bites. src, bench and scripts are all checked.

/** @typedef {string | string[]} Paths regular expressions of files, relative to the root */

const ours = '^(src|bench|scripts)/';
const electron = ['^electron$', '(^|/)node_modules/electron/'];
const anyPackage = '(^|/)node_modules/';

/**
 * A rule that lets files under `from` import, of our own files, only what `allowed` matches.
 * @param {string} name
 * @param {Paths} from importing files
 * @param {string[]} allowed files that may be imported
 * @param {string} comment
 */
const only = (name, from, allowed, comment) => ({
  name,
  severity: 'error',
  comment,
  from: { path: from },
  to: { path: ours, pathNot: allowed },
});

/**
 * A rule that keeps files under `from` from importing what `to` describes.
 * @param {string} name
 * @param {object} from
 * @param {object} to
 * @param {string} comment
 */
const never = (name, from, to, comment) => ({ name, severity: 'error', comment, from, to });

const everywhere = [
  // An import of types alone vanishes when built, but it is a cycle to a reader all the same.
  never(
    'no-cycles',
    { path: ours },
    { circular: true },
    'types that two files share belong in a third',
  ),
  never(
    'nothing-imports-test',
    { path: ours },
    { path: '^test/' },
    'what runs does not lean on what proves it',
  ),
  never(
    'no-unresolvable',
    { path: ours },
    { couldNotResolve: true, pathNot: ['\\?'] },
    'an import that resolves to nothing',
  ),
  never(
    'no-dev-dependency-at-run-time',
    { path: '^src/(base|library|server|main|worker|cli|shared)/' },
    { dependencyTypes: ['npm-no-pkg', 'npm-unknown'] },
    'what main, worker and cli load unbundled ships with the app',
  ),
];

const groundFloor = [
  only('shared-imports-nothing-of-ours', '^src/shared/', ['^src/shared/'], 'shared stands alone'),
  never(
    'shared-uses-only-the-schema-library',
    { path: '^src/shared/' },
    { pathNot: ['^src/shared/', '(^|/)node_modules/zod/'] },
    'shared runs anywhere: zod and nothing else',
  ),
  only('base-imports-shared', '^src/base/', ['^src/(base|shared)/'], 'the ground floor'),
  only(
    'library-imports-base-and-shared',
    '^src/library/',
    ['^src/(library|base|shared)/'],
    'models on disk, over base and shared',
  ),
  only(
    'server-imports-base-and-shared',
    '^src/server/',
    ['^src/(server|base|shared)/'],
    'the local server: the engine and all else are handed in, by main one way and by cli another',
  ),
  never(
    'server-uses-only-node-and-the-schema-library',
    { path: '^src/server/' },
    { path: anyPackage, pathNot: '(^|/)node_modules/zod/' },
    'it runs in plain Node: no Electron, no native code, no framework',
  ),
  never(
    'ground-floor-runs-in-plain-node',
    { path: '^src/(base|library)/' },
    { path: [...electron, '(^|/)node_modules/(better-sqlite3|onnxruntime-node|sharp)/'] },
    'main, worker and cli stand on it: no Electron, no native code',
  ),
];

/** They are handed what Electron made. */
const electronTypesOnly = '^src/main/(demo/|(offline|remote-debugging)[.]ts$)';

const main = [
  only(
    'main-imports-shared',
    '^src/main/',
    // The demo presses the window's buttons by the ids that end-to-end tests use.
    ['^src/(main|library|server|base|shared)/', '^src/renderer/test-ids[.]ts$'],
    'main knows the worker by file path and protocol only',
  ),
  only(
    'preload-imports-shared',
    '^src/main/preload/',
    ['^src/main/preload/', '^src/shared/'],
    'preload has no logic',
  ),
  never(
    'preload-uses-only-electron',
    { path: '^src/main/preload/' },
    { pathNot: ['^src/', '(^|/)node_modules/(electron|zod)/', '^electron$'] },
    'a sandboxed preload can require electron alone',
  ),
  never(
    'electron-only-where-main-says',
    {
      path: ours,
      pathNot: [
        '^src/main/(main|app-info|menu|page-notice-view|places|print-pdf|security|window)[.]ts$',
        '^src/main/preload/',
        electronTypesOnly,
        '^src/main/processes/utility-spawn[.]ts$',
        // What the fallback runtime begins with, in Electron's place.
        '^scripts/setup/default-app/',
      ],
    },
    { path: electron },
    "main/DESIGN.md's table: the rest runs in plain Node, for the command line and the tests",
  ),
  never(
    'electron-by-type-where-it-is-handed-in',
    { path: electronTypesOnly },
    { path: electron, dependencyTypesNot: ['type-only'] },
    'the demo is handed its window, the guards a session and a command line',
  ),
  // One order: database, then pictures, then conversations. Nobody looks up.
  only(
    'database-is-the-lowest',
    '^src/main/database/',
    ['^src/main/database/', '^src/(base|shared)/'],
    'the database knows no one above it',
  ),
  only(
    'pictures-stand-on-the-database',
    '^src/main/pictures/',
    ['^src/main/(pictures|database)/', '^src/(base|shared)/'],
    'pictures: over the database',
  ),
  only(
    'conversations-stand-on-pictures',
    '^src/main/conversations/',
    [
      '^src/main/(conversations|pictures|database)/',
      // What a conversation asks the engine through, and tells the window by: types.
      '^src/main/(processes/engine-client|emit)[.]ts$',
      '^src/(base|shared)/',
    ],
    'conversations: over pictures and the database',
  ),
  only(
    'training-stands-alone',
    '^src/main/training/',
    ['^src/main/(training/|emit[.]ts$)', '^src/(library|base|shared)/'],
    'runs, data sets and the environment: no Electron, no database; the command uses them too',
  ),
  only(
    'recipe-stands-on-training',
    '^src/main/recipe/',
    [
      '^src/main/(recipe|training)/',
      // The one way out and the keychain; the engine is handed in: types.
      '^src/main/downloads/(http|token)[.]ts$',
      '^src/main/processes/shared-engine[.]ts$',
      '^src/(library|base|shared)/',
    ],
    'conversations of captions: over the trainer, no Electron, no database; the command uses it too',
  ),
  only(
    'processes-know-no-conversation',
    '^src/main/processes/',
    ['^src/main/processes/', '^src/(base|shared)/'],
    'processes start, watch and end children',
  ),
  only(
    'protocols-are-functions',
    '^src/main/protocols/',
    ['^src/main/protocols/', '^src/shared/'],
    'protocols: from a request to a response, all else handed in',
  ),
  never(
    'sqlite-only-in-the-database',
    { path: '^src/', pathNot: '^src/main/database/' },
    { path: '(^|/)node_modules/better-sqlite3/' },
    'queries are by table, in database/',
  ),
];

const renderer = [
  only(
    'renderer-imports-shared',
    '^src/renderer/',
    ['^src/renderer/', '^src/shared/'],
    'the renderer sees the world through window.api',
  ),
  never(
    'renderer-has-no-node',
    { path: '^src/renderer/' },
    {
      path: [
        '^node:',
        ...electron,
        '(^|/)node_modules/(onnxruntime-node|better-sqlite3|sharp|electron-log)/',
      ],
    },
    'the renderer is sandboxed: no Node, no Electron, no native modules',
  ),
  never(
    'renderer-has-no-node-builtin',
    { path: '^src/renderer/' },
    { dependencyTypes: ['core'] },
    'the renderer is sandboxed: no Node',
  ),
  never(
    'components-are-small',
    { path: '^src/renderer/components/' },
    { path: ['^src/renderer/api', '^src/renderer/(state|views)/'] },
    'components: no api, no global state',
  ),
  never(
    'state-has-no-markup',
    { path: '^src/renderer/state/' },
    { path: ['^src/renderer/(views|components)/', '[.]svelte$'] },
    'state: one per domain, shown by views',
  ),
  never(
    'nothing-imports-fake-or-preview',
    { path: '^src/' },
    { path: '^src/.*/(fake|preview)/' },
    'what the app shows comes from main; stand-ins and the preview live in test/',
  ),
];

const pureRooms = '^src/worker/(graph|sampling|tensor)/';

const worker = [
  only(
    'worker-imports-shared',
    '^src/worker/',
    ['^src/(worker|library|base|shared)/'],
    'worker: no main, no renderer, no cli',
  ),
  never(
    'worker-has-no-network',
    { path: '^src/worker/' },
    { path: '^(node:)?(http|https|http2|net|tls|dgram|dns)$' },
    'the engine opens no connection',
  ),
  never(
    'onnx-runtime-only-in-runtime',
    { path: ours, pathNot: '^src/worker/runtime/' },
    { path: '(^|/)node_modules/onnxruntime-node/' },
    'runtime runs ONNX files; everybody else asks it',
  ),
  never(
    'onnx-runtime-is-loaded-in-one-place',
    { path: '^src/worker/runtime/', pathNot: '^src/worker/runtime/onnx-runtime[.]ts$' },
    { path: '(^|/)node_modules/onnxruntime-node/', dependencyTypesNot: ['type-only'] },
    'runtime/onnx-runtime.ts turns its telemetry off before it loads it',
  ),
  never(
    'sharp-is-loaded-as-webassembly',
    { path: '^src/' },
    { path: '(^|/)node_modules/(sharp|@img)/', dependencyTypesNot: ['type-only', 'require'] },
    'an import takes native code where there is any: inputs/codec/load-sharp.ts requires the module',
  ),
  never(
    'pictures-are-decoded-without-ways-out',
    { path: '^src/', pathNot: '^src/worker/inputs/codec/' },
    { path: '^src/worker/inputs/codec/(close-doors|decode|load-sharp|main)[.]ts$' },
    'libvips runs in a thread that has nothing but its memory: inputs/picture-codec.ts asks it',
  ),
  never(
    'pure-rooms-use-no-node',
    { path: pureRooms },
    { dependencyTypes: ['core'] },
    'graph, sampling and tensor run anywhere',
  ),
  never(
    'pure-rooms-use-no-package',
    { path: pureRooms },
    // ONNX is protocol buffers: the wire format's writer is all that a graph needs.
    { path: anyPackage, pathNot: '(^|/)node_modules/@bufbuild/protobuf/' },
    'graph, sampling and tensor are numbers and structures',
  ),
  only('tensor-stands-alone', '^src/worker/tensor/', ['^src/worker/tensor/'], 'stored tensors'),
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
      '^src/worker/(conversion|networks|inputs|weights|pipelines|tensor)/',
      '^src/(library|base|shared)/',
    ],
    'conversion reads and writes models',
  ),
  never(
    'conversion-runs-no-network',
    { path: '^src/worker/conversion/' },
    { path: '^src/worker/runtime/', reachable: true },
    "conversion checks and writes weights; the runtime is the caller's",
  ),
];

const programs = [
  only(
    'cli-imports-shared-worker-and-pure-main',
    '^src/cli/',
    [
      '^src/(cli|library|server|base|shared|worker)/',
      '^src/main/(training|recipe|conversations|database|exchange|pictures|processes)/',
    ],
    'cli: shared, worker, and the pure parts of main',
  ),
  never(
    'cli-has-no-electron',
    { path: '^src/cli/' },
    { path: electron, reachable: true },
    'the command runs without Electron, through whatever it imports',
  ),
  only(
    'bench-measures-what-ships',
    '^bench/',
    [
      '^bench/',
      '^src/(library|base|shared|worker)/',
      '^src/main/(database|processes|pictures|conversations|exchange)/',
      '^scripts/(setup|build)/',
      // Soak and chaos drive the app as it is packed.
      '^scripts/dist[.]mjs$',
    ],
    'bench: the engine, the database and the processes, started as scripts start them',
  ),
  never(
    'scripts-load-packages-late',
    { path: '^scripts/([^/]+|setup/[^/]+|build/[^/]+)$' },
    { path: anyPackage, dynamic: false, dependencyTypesNot: ['type-only'] },
    'set-up begins before npm packages are there: they are imported where they are used',
  ),
  only(
    'scripts-import-no-source',
    '^scripts/',
    ['^scripts/'],
    'scripts run before anything is built',
  ),
];

export default {
  forbidden: [...everywhere, ...groundFloor, ...main, ...renderer, ...worker, ...programs],
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
