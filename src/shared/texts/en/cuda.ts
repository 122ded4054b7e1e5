import type { Value } from '../value.ts';

export const cuda = {
  title: 'CUDA for the NVIDIA GPU',
  canBeFetched: (card: Value, host: Value) =>
    `${card} is in this computer. For CUDA the engine needs a library that does not come with the app. Nothing is asked of the network until you press; then ${host} is asked for its size, and you decide.`,
  whatItNeeds: (name: Value, version: Value) =>
    `${name} ${version}, some hundred megabytes. Besides, NVIDIA’s driver, CUDA and cuDNN 9 have to be installed; they come from NVIDIA, not from here.`,
  isHere: 'The library is here, and so is what it needs. Restart the engine to use it.',
  isUsed: (card: Value) => `The library is here, and ${card} is used by it.`,
  isHereAndNotEnough: 'The library is here. The engine cannot use it yet.',
  install: (version: Value) =>
    `Install ${version} and cuDNN 9 from NVIDIA; setting up training with PyTorch for CUDA brings them too. Then look again.`,
  notFound: (names: Value) => `Not found: ${names}`,
  lookAgain: 'Look again',
};
