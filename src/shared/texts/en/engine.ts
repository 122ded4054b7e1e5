import type { Value } from '../value.ts';

export const engine = {
  noModel: 'No model',
  engineStarting: 'Engine starting',
  loadingModel: 'Loading the model',
  working: 'Working',
  notAnswering: 'Not answering',
  stoppedUnexpectedly: 'Stopped unexpectedly',
  stoppedStartsAgainInS: (restartInSeconds: Value) =>
    `Stopped; starts again in ${restartInSeconds} s`,
  off: 'Off',
  noModelIsOpenYour: 'No model is open. Your draft is kept.',
  engineIsStartingYouCan: 'The engine is starting. You can write meanwhile.',
  modelIsLoadingYouCan: 'The model is loading. You can write meanwhile.',
  engineIsNotAnsweringRestart:
    'The engine is not answering. Restart it to go on; your draft is kept.',
  engineStoppedAndIsAbout: 'The engine stopped and is about to start again. Your draft is kept.',
  engineIsStoppedStartIt: 'The engine is stopped. Start it again to send; your draft is kept.',
  engineIsOffStartIt: 'The engine is off. Start it to send; your draft is kept.',
  runsOn: (provider: Value) => `Runs on ${provider}.`,
  isInThisComputerAnd: (nvidia: Value, used: Value) =>
    `${nvidia} is in this computer and is not used with CUDA. ${used}`,
  noGpuFoundUsingProcessor: 'No GPU found; using the processor.',
  itsDriverMayBeMissing:
    'Its driver may be missing or too old for Vulkan; the newest one from its maker helps most.',
  isInThisComputerAndIs: (card: Value, used: Value) =>
    `${card} is in this computer and is not used. ${used}`,
  cudaCanBeFetched: 'Its library for the engine is not here; Models can fetch it.',
  cudaAndCudnn9: (version: Value) =>
    `${version} and cuDNN 9 are needed and were not found. Install both, then restart the engine.`,
  itsDriverDoesNotAnswer:
    'Its driver does not answer. Install NVIDIA’s driver, or restart the computer after an update of it.',
  thisBuildOfAppHas: 'This build of the app has no CUDA for this system.',
  detailsSayWhatCudaAnswered: 'The details say what CUDA answered.',
  cannotRunHere: 'cannot run here',
  models: 'Models…',
  chooseModel: 'Choose a model',
  restart: 'Restart',
  start: 'Start',
  startNow: 'Start now',
  engineStoppedTimesInShort: (crashes: Value) =>
    `The engine stopped ${crashes} times in a short while, so it waits for you.`,
  engineHasNotAnsweredFor:
    'The engine has not answered for a while. It may be busy with something heavy.',
  noModelIsOpen: 'No model is open.',
  engineIsOff: 'The engine is off.',
  providers: { cuda: 'CUDA', webgpu: 'WebGPU', cpu: 'the processor' },
  stoppedUnexpectedlySentence: 'The engine stopped unexpectedly.',
  stoppedAndStartsAgain: (seconds: Value) =>
    `The engine stopped unexpectedly and starts again in ${seconds} s.`,
};
