import { installNpmPeer, peerFolder } from './install-npm-peer.ts';
import { PeerMissing } from './peer-process.ts';

const version = '3.22.1';
const name = 'node-llama-cpp';

/** Where node-llama-cpp lies. */
export const llamaCppFolder = peerFolder(name);

/** The prebuilt binaries that run without a GPU, by platform. */
const binaries: Readonly<Record<string, string>> = {
  'linux-x64': 'linux-x64',
  'linux-arm64': 'linux-arm64',
  'darwin-arm64': 'mac-arm64-metal',
  'darwin-x64': 'mac-x64',
  'win32-x64': 'win-x64',
  'win32-arm64': 'win-arm64',
};

/**
 * Installs the pinned node-llama-cpp and its prebuilt binary, once. Optional packages are the other binaries, of which
 * CUDA's alone has hundreds of MB.
 * @throws PeerMissing where there is none for this platform, or npm fails
 */
export async function installLlamaCpp(say: (line: string) => void): Promise<void> {
  const binary = binaries[`${process.platform}-${process.arch}`];
  if (binary === undefined) {
    throw new PeerMissing(`node-llama-cpp has no binary for ${process.platform} ${process.arch}`);
  }
  await installNpmPeer(name, { [name]: version, [`@node-llama-cpp/${binary}`]: version }, say);
}
