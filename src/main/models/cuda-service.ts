/** CUDA's provider for the engine: offered where there is an NVIDIA card, fetched like a part, found by the engine itself. */
import { readHardware } from '../../library/doctor/hardware.ts';
import { cudaPartId } from '../../shared/cuda.ts';
import type { CataloguePart } from '../../shared/domain/catalogue.ts';
import type { CudaPackage, CudaStatus } from '../../shared/domain/cuda.ts';
import type { ConversionProcess } from '../processes/conversion-process.ts';

export interface CudaServiceOptions {
  /** A process that loads the engine's program; what was fetched since it was started it does not see. */
  readonly conversion: Pick<ConversionProcess, 'ask' | 'end'>;
  /** Names of the graphics cards, as the window's browser knows them. */
  readonly graphics: () => Promise<readonly string[]>;
}

export class CudaService {
  readonly #options: CudaServiceOptions;

  constructor(options: CudaServiceOptions) {
    this.#options = options;
  }

  async status(): Promise<CudaStatus> {
    const { conversion } = this.#options;
    const card = await this.#card();
    // Without a card nothing is offered, and no process is started to say so.
    if (card === null) return { card, package: null, folder: null, missing: [], fault: null };
    await conversion.end();
    return { card, ...(await conversion.ask('models.cuda', null)) };
  }

  /** As something to fetch; null where it is not offered. */
  async part(): Promise<CataloguePart | null> {
    const status = await this.status();
    return status.package === null ? null : partOf(status.package);
  }

  async #card(): Promise<string | null> {
    const known = await this.#options.graphics();
    const { graphics } = await readHardware();
    const names = [...graphics.map(({ name }) => name), ...known];
    return names.find((name) => /nvidia/i.test(name)) ?? null;
  }
}

function partOf({ name, version, feed, entries }: CudaPackage): CataloguePart {
  return {
    id: cudaPartId,
    role: 'provider',
    name: `CUDA for ONNX Runtime ${version}`,
    about: 'Has the engine compute on an NVIDIA GPU.',
    repository: `nuget/${name}`,
    revision: version,
    files: entries,
    tensors: null,
    source: { feed, name, version },
    licence: {
      name: 'MIT',
      address: 'https://github.com/microsoft/onnxruntime/blob/main/LICENSE',
      says: 'CUDA and cuDNN themselves are NVIDIA’s, are not in it, and have terms of their own.',
    },
    gated: false,
    aboutBytes: null,
  };
}
