import type { Value } from '../value.ts';

export const doctor = {
  diagnosticsCopiedWithoutFoldersAnd: 'Diagnostics copied, without folders and names',
  lookingAtThisMachineThat: 'Looking at this machine; that takes some seconds',
  lookedAtNothingOfIt: (toLocaleTimeString: Value) =>
    `Looked at ${toLocaleTimeString}. Nothing of it leaves this machine.`,
  lookAgain: 'Look again',
  copyDiagnostics: 'Copy diagnostics',
  findings: 'Findings',
  system: 'System',
  threads: (processor: Value, threads: Value) => `${processor}, ${threads} threads`,
  free: (memoryBytes: Value, freeMemoryBytes: Value) => `${memoryBytes}, ${freeMemoryBytes} free`,
  diskOf: (what: Value) => `Disk of ${what}`,
  ofFree: (freeBytes: Value, totalBytes: Value) => `${freeBytes} of ${totalBytes} free`,
  instructionSetsThatMatter: 'Instruction sets that matter',
  forIt: (helps: Value) => `for ${helps}`,
  whatNetworksRunOn: 'What networks run on',
  works: 'Works',
  inRuntimesWords: "In the runtime's words",
  versions: 'Versions',
  pythonForTraining: 'Python for training',
  notSetUp: 'not set up',
  lastCrashes: 'Last crashes',
  levels: { bad: 'Wrong', warning: 'Worth a look', note: 'Note', good: 'Good' },
  acts: {
    'restart-engine': 'Start the engine again',
    'provider-auto': 'Let the engine choose',
    'open-logs': 'Open logs',
    models: 'Go to Models',
    training: 'Go to Training',
  },
  providers: { cuda: 'CUDA', webgpu: 'WebGPU', cpu: 'Processor' },
  isThere: { true: 'yes', false: 'no', null: 'not known' },
  gpuDriver: (name: Value, driver: Value) => `${name}, driver ${driver}`,
  gpuDriverMemory: (name: Value, driver: Value, memory: Value) =>
    `${name}, driver ${driver}, ${memory}`,
};
