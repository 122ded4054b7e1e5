/**
 * Makes a model's folder out of its parts: the language model, the vision encoder, the Q-Former or a TextBind
 * checkpoint, and an image decoder. They are referred to where they lie, copied, or quantised.
 */
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { z } from 'zod';
import type { ModelManifest } from '../../shared/domain/model-manifest.ts';
import { StudioError } from '../../shared/errors.ts';
import { toStudioError } from '../pipelines/model-errors.ts';
import { readJsonFile } from '../../base/json-file.ts';
import { writeJsonFileSync } from '../../base/whole-file.ts';
import {
  languagePrefix,
  overlaid,
  overlaidInMemory,
} from '../pipelines/language/language-weights.ts';
import type { ImportProgress } from '../../shared/domain/model-import.ts';
import { isGguf, openCheckpoint, type Checkpoint } from '../weights/index.ts';
import { writeGgufConfig, writeGgufWeights } from './gguf-model.ts';
import { checkModel } from './check-model.ts';
import { copyFolder, copyOneFile, type CopyOptions } from './copy-folder.ts';
import { writeEightBitCopy } from './eight-bit-copy.ts';
import { storeFolded } from './fold-network.ts';
import { copySmallFiles, storeAsHalf, storeFileAsHalf } from './half-precision.ts';
import { ImportJournal, stampOf } from './import-journal.ts';
import { chooseLayerBits, measureOnce, type LayerCost } from './layer-bits.ts';
import {
  createStaged,
  discard,
  planOutput,
  putInPlace,
  type OutputFolder,
} from './output-folder.ts';
import { quantiseModel } from './quantise-model.ts';

/** Where the parts lie: absolute paths of folders, or of files for the Q-Former and the checkpoint. */
export interface ImportSources {
  readonly vision: string;
  readonly language: string;
  readonly qformer: string | null;
  readonly checkpoint: string | null;
  /** Folder with preprocessor_config.json; null: the vision model's own, or BLIP-2's. */
  readonly processor: string | null;
  readonly base: string | null;
  readonly refiner: string | null;
}

/**
 * How parts come into the model's folder; `int4`, `int8` and `mixed` (4 bits, and 8 where 4 would cost most) write the
 * rest in half precision.
 */
export type ImportStorage = 'refer' | 'copy' | 'int4' | 'int8' | 'mixed';

export interface ImportRequest {
  readonly sources: ImportSources;
  readonly storage: ImportStorage;
  /** The model's folder. */
  readonly out: string;
  /** Whether a model that stands there is replaced. */
  readonly replace: boolean;
  readonly manifest: Pick<
    ModelManifest,
    'name' | 'licence' | 'qformerConfig' | 'maxPicturesPerReply' | 'maxSequenceLength'
  >;
  /** Guidance that suits the image decoder. */
  readonly guidance: number;
}

export interface ImportOptions {
  readonly signal?: AbortSignal;
  readonly onProgress?: (progress: ImportProgress) => void;
  /** Told the folders before anything is written, so that another process can tidy up after a killed one. */
  readonly onFolders?: (folders: OutputFolder) => void;
  /** Opens the finished folder to see that it runs, before it is put in place. */
  readonly load?: (folder: string) => Promise<void>;
  /**
   * Keeps what is written where it is cut off or stopped, in a hidden folder beside the target, and goes on from there
   * when the same import is done again.
   */
  readonly resume?: boolean;
  /** Writes a quantised language model's matrices a second time in 8 bits, with which prompts are read faster. */
  readonly fastReading?: boolean;
  /** Where the language model is quantised: matrices of the vision encoder and of UNets become 8 bits as well. */
  readonly foldNetworks?: boolean;
  /** What 4 bits cost in each layer of a language model; needed for `mixed`. */
  readonly measureLayers?: MeasureLayers;
}

/** @param folder a language model's, for its config.json and tokenizer; `weights` are its own or laid over them */
export type MeasureLayers = (
  folder: string,
  weights: Checkpoint,
  signal: AbortSignal | undefined,
) => Promise<readonly LayerCost[]>;

export interface ImportReport {
  readonly folder: string;
  readonly name: string;
  readonly canDraw: boolean;
  /** Bytes of the files in the folder itself. */
  readonly bytes: number;
  /** What a person should know about the parts. */
  readonly warnings: readonly string[];
}

/**
 * Writes everything beside the target, checks that it fits together, and only then puts it in place. Where it fails
 * nothing of it is left, nor where it is stopped unless it is to be resumed; what stood at the target is untouched.
 * @throws StudioError: `bad-input` for folders that must not be used, `model-invalid` or `unsupported` for parts that
 * do not fit, `cancelled` where the signal says so
 */
export async function importModel(
  request: ImportRequest,
  options: ImportOptions = {},
): Promise<ImportReport> {
  const { sources, storage, manifest } = request;
  const { resume = false } = options;
  const places = Object.values(sources).filter((place): place is string => place !== null);
  const { fastReading = false, foldNetworks = false } = options;
  const work = { sources, storage, fastReading, foldNetworks };
  const id = resume ? stampOf(work, places) : undefined;
  const folders = planOutput(request.out, places, { replace: request.replace, id });
  options.onFolders?.(folders);
  createStaged(folders, resume);
  const journal = resume ? ImportJournal.open(folders.staged) : ImportJournal.none();
  try {
    const writer = new PartWriter(folders.staged, request, { ...options, journal });
    const tell = (step: 'checking' | 'loading', part: string): void =>
      options.onProgress?.({ kind: 'importing', step, part, bytes: writer.bytes });
    const paths = await writer.write();
    const { name, licence, ...sizes } = manifest;
    writeJsonFileSync(path.join(folders.staged, 'textbind.json'), {
      name,
      licence,
      ...paths,
      ...sizes,
    });
    const { canDraw, warnings } = await checkModel(folders.staged, {
      signal: options.signal,
      onPart: (part) => tell('checking', part),
    });
    if (options.load !== undefined) {
      tell('loading', name);
      await options.load(folders.staged);
    }
    options.signal?.throwIfAborted();
    journal.finish();
    putInPlace(folders);
    return { folder: folders.target, name, canDraw, warnings, bytes: folderBytes(folders.target) };
  } catch (error) {
    if (resume && options.signal?.aborted === true) journal.leave();
    else discard(folders);
    throw toStudioError(error);
  }
}

/** Whether a GGUF file's blocks stay blocks: not below a checkpoint's plain tensors, which are laid over them. */
export function keepsBlocks(keptBits: 4 | 8 | undefined, checkpoint: string | null): boolean {
  if (keptBits === undefined || checkpoint === null) return keptBits !== undefined;
  const names = [...openCheckpoint(checkpoint).names()];
  return !names.some((name) => name.startsWith(languagePrefix));
}

type PartOptions = ImportOptions & { readonly journal: ImportJournal };

/** Brings the parts into a folder. */
class PartWriter {
  readonly #folder: string;
  readonly #sources: ImportSources;
  readonly #storage: ImportStorage;
  readonly #guidance: number;
  readonly #options: PartOptions;
  readonly #journal: ImportJournal;
  #bytes = 0;
  #part = '';

  constructor(folder: string, request: ImportRequest, options: PartOptions) {
    this.#folder = folder;
    this.#sources = request.sources;
    this.#storage = request.storage;
    this.#guidance = request.guidance;
    this.#options = options;
    this.#journal = options.journal;
  }

  /** Bytes of files that were copied, and of matrices that were quantised. */
  get bytes(): number {
    return this.#bytes;
  }

  get #quantises(): boolean {
    return this.#storage !== 'refer' && this.#storage !== 'copy';
  }

  /** @returns the manifest's paths */
  async write() {
    const { vision, qformer, checkpoint } = this.#sources;
    const visionModel = await this.#place('vision', vision, (to) =>
      this.#writeFoldable('vision', vision, to),
    );
    return {
      visionModel,
      ...(qformer === null ? {} : { qformer: await this.#writeFile('qformer', qformer) }),
      ...(checkpoint === null ? {} : await this.#writeCheckpoint(checkpoint)),
      languageModel: await this.#writeLanguage(),
      processor: await this.#writeProcessor(visionModel),
      imageDecoder: await this.#writeDecoder(),
    };
  }

  /** The path that stands in the manifest: the source's own where parts are referred to. */
  async #place(name: string, source: string, write: (to: string) => Promise<unknown>) {
    if (this.#storage === 'refer') return source;
    await this.#once(name, write);
    return name;
  }

  /**
   * Writes a part that an earlier run, which was cut off, has not written. What that left of it is removed, but for
   * quantised weights: those go on at their last whole file.
   */
  async #once(name: string, write: (to: string) => Promise<unknown>, goesOn = false) {
    if (this.#journal.has(name)) return;
    this.#part = name;
    this.#tell();
    const to = path.join(this.#folder, name);
    if (!goesOn) rmSync(to, { recursive: true, force: true });
    await write(to);
    this.#journal.add(name);
  }

  #tell(): void {
    const { onProgress } = this.#options;
    onProgress?.({ kind: 'importing', step: 'writing', part: this.#part, bytes: this.#bytes });
  }

  #count = (bytes: number): void => {
    this.#bytes += bytes;
    this.#tell();
  };

  get #copying(): CopyOptions {
    return { signal: this.#options.signal, onBytes: this.#count };
  }

  async #writeNetwork(from: string, to: string): Promise<void> {
    const { signal } = this.#options;
    await (this.#quantises
      ? storeAsHalf(from, to, { signal })
      : copyFolder(from, to, this.#copying));
  }

  /** A network whose matrices become 8 bits where that is asked for. */
  #writeFoldable(kind: 'vision' | 'unet', from: string, to: string): Promise<void> {
    const { signal, foldNetworks = false } = this.#options;
    return this.#quantises && foldNetworks
      ? storeFolded(kind, from, to, { signal })
      : this.#writeNetwork(from, to);
  }

  /** Half precision is written as safetensors; a copy keeps its format, and so its extension. */
  #writeFile(part: string, source: string, keep?: (name: string) => boolean): Promise<string> {
    const { signal } = this.#options;
    const name = `${part}/model${this.#quantises ? '.safetensors' : path.extname(source)}`;
    return this.#place(name, source, async (to) => {
      mkdirSync(path.dirname(to), { recursive: true });
      if (!this.#quantises) await copyOneFile(source, to, this.#copying);
      else await storeFileAsHalf(source, to, { signal, ...(keep === undefined ? {} : { keep }) });
    });
  }

  /** Quantising, the language model of a stage 2 checkpoint is written as the model's own; the rest stays. */
  async #writeCheckpoint(checkpoint: string): Promise<{ readonly checkpoint?: string }> {
    const isFolder = statSync(checkpoint).isDirectory();
    if (!this.#quantises && isFolder) {
      const write = (to: string) => this.#writeNetwork(checkpoint, to);
      return { checkpoint: await this.#place('checkpoint', checkpoint, write) };
    }
    const keep = (name: string): boolean => !name.startsWith(languagePrefix);
    if (this.#quantises && ![...openCheckpoint(checkpoint).names()].some(keep)) return {};
    return { checkpoint: await this.#writeFile('checkpoint', checkpoint, keep) };
  }

  async #writeLanguage(): Promise<string> {
    const { language, checkpoint } = this.#sources;
    if (statSync(language).isFile()) return this.#writeGguf(language);
    if (!this.#quantises) {
      return this.#place('language', language, (to) => copyFolder(language, to, this.#copying));
    }
    const weights = checkpoint === null ? openCheckpoint(language) : overlaid(language, checkpoint);
    await this.#once('language', (to) => this.#quantise(language, to, weights), true);
    return 'language';
  }

  /** @param kept bits where storage says none: of a file whose blocks stay what they are */
  async #quantise(from: string, to: string, checkpoint: Checkpoint, kept?: 4 | 8): Promise<void> {
    const { signal, resume = false } = this.#options;
    const bits = kept ?? (this.#storage === 'int8' ? 8 : 4);
    const options = { bits, checkpoint, signal, resume, onBytes: this.#count } as const;
    await quantiseModel(from, to, { ...options, ...(await this.#layerBits(from, to, checkpoint)) });
    if (this.#options.fastReading === true) {
      await writeEightBitCopy(to, { resume, signal, onBytes: this.#count });
    }
  }

  /** Bits of each layer where they are to be chosen by what they cost. */
  async #layerBits(from: string, to: string, checkpoint: Checkpoint) {
    const { signal, measureLayers } = this.#options;
    if (this.#storage !== 'mixed') return {};
    if (measureLayers === undefined) throw new StudioError('internal', 'nothing measures layers');
    const costs = await measureOnce(to, () => measureLayers(from, checkpoint, signal));
    return { layerBits: chooseLayerBits(costs) };
  }

  /**
   * A GGUF file is always written anew: its rows lie in another order than the network takes them in. Blocks that ours
   * hold exactly stay blocks; others become half precision where nothing else is asked for.
   */
  async #writeGguf(file: string): Promise<string> {
    if (!isGguf(file)) throw new StudioError('bad-input', `${file}: is not a GGUF file`);
    await this.#once('language', (to) => this.#writeGgufTo(file, to), true);
    return 'language';
  }

  async #writeGgufTo(file: string, to: string): Promise<void> {
    const parts = path.join(this.#folder, '.gguf');
    const { checkpoint: own, keptBits } = writeGgufConfig(file, parts);
    const over = this.#sources.checkpoint;
    const isHalf = !this.#quantises && !keepsBlocks(keptBits, over);
    if (isHalf) {
      rmSync(to, { recursive: true, force: true });
      await writeGgufWeights(writeGgufConfig(file, to), to, this.#options.signal);
    } else {
      const checkpoint = over === null ? own : overlaidInMemory(own, over);
      await this.#quantise(parts, to, checkpoint, this.#quantises ? undefined : keptBits);
    }
    rmSync(parts, { recursive: true });
  }

  async #writeProcessor(visionModel: string): Promise<string> {
    const { vision, processor } = this.#sources;
    if (processor !== null) {
      return this.#place('processor', processor, async (to) => {
        mkdirSync(to, { recursive: true });
        copySmallFiles(processor, to);
      });
    }
    if (existsSync(path.join(vision, 'preprocessor_config.json'))) return visionModel;
    mkdirSync(path.join(this.#folder, 'processor'), { recursive: true });
    const file = path.join(this.#folder, 'processor', 'preprocessor_config.json');
    writeJsonFileSync(file, blipProcessor(vision));
    return 'processor';
  }

  async #writeDecoder() {
    const { base, refiner } = this.#sources;
    if (base === null) return null;
    const write = (from: string) => (to: string) => this.#writeDiffusion(from, to);
    return {
      base: await this.#place('image-decoder', base, write(base)),
      refiner:
        refiner === null ? null : await this.#place('image-refiner', refiner, write(refiner)),
      guidance: this.#guidance,
    };
  }

  async #writeDiffusion(from: string, to: string): Promise<void> {
    const { signal } = this.#options;
    if (!this.#quantises) return copyFolder(from, to, this.#copying);
    mkdirSync(to, { recursive: true });
    copySmallFiles(from, to);
    for (const [part, hasWeights] of Object.entries(diffusionParts)) {
      const source = path.join(from, part);
      if (!existsSync(source)) continue;
      const target = path.join(to, part);
      mkdirSync(target, { recursive: true });
      if (part === 'unet') await this.#writeFoldable(part, source, target);
      else if (hasWeights) await storeAsHalf(source, target, { signal });
      else copySmallFiles(source, target);
    }
  }
}

/** The folders of a diffusers pipeline of SDXL's family that drawing uses, and whether they hold weights. */
const diffusionParts = {
  text_encoder: true,
  text_encoder_2: true,
  tokenizer: false,
  tokenizer_2: false,
  scheduler: false,
  unet: true,
  vae: true,
} as const;

const sizeSchema = z.looseObject({ image_size: z.number().int().positive().optional() });
const pictureSizeSchema = sizeSchema.extend({ vision_config: sizeSchema.optional() });

/** BLIP-2's processor for a vision model that comes without one; only the size is the model's own. */
function blipProcessor(vision: string): object {
  const file = path.join(vision, 'config.json');
  const config = readJsonFile(file, pictureSizeSchema, 'model-invalid');
  const size = config.image_size ?? config.vision_config?.image_size ?? 224;
  return {
    image_processor_type: 'BlipImageProcessor',
    do_resize: true,
    size: { height: size, width: size },
    resample: 3,
    do_rescale: true,
    rescale_factor: 1 / 255,
    do_normalize: true,
    image_mean: [0.48145466, 0.4578275, 0.40821073],
    image_std: [0.26862954, 0.26130258, 0.27577711],
  };
}

function folderBytes(folder: string): number {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .reduce((sum, entry) => sum + statSync(path.join(entry.parentPath, entry.name)).size, 0);
}
