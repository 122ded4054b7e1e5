/** What main and the engine must call alike of CUDA's provider, which is fetched and lies among the parts. */
export const cudaPartId = 'cuda-provider';

/** Environment variables of the processes that load the engine. */
export const cudaEnvironment = {
  /** Folder of what is fetched. */
  parts: 'TEXTBIND_PARTS_FOLDER',
  /** Our own Python for training: with PyTorch for CUDA come NVIDIA's libraries. */
  python: 'TEXTBIND_PYTHON_FOLDER',
} as const;

/** Name of its folder among the parts. */
export function cudaFolderName(version: string): string {
  return `${cudaPartId}@${version}`;
}

/** Name of the folder, beside it, from which the engine is loaded with it. */
export const cudaLinksName = '.engine-with-cuda';
