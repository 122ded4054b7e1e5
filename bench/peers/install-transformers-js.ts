import { installNpmPeer, peerFolder } from './install-npm-peer.ts';

const version = '4.3.2';
const name = 'transformers-js';

/** The package that is installed. */
export const transformersJs = { folder: peerFolder(name), package: '@huggingface/transformers' };

/**
 * Installs the pinned @huggingface/transformers with the runtime that it depends on, once.
 * @throws PeerMissing where npm fails
 */
export function installTransformersJs(say: (line: string) => void): Promise<void> {
  return installNpmPeer(name, { [transformersJs.package]: version }, say);
}
