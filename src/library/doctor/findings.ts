import type { DoctorReport, Finding } from '../../shared/domain/doctor.ts';
import { gigabytes } from '../../shared/words.ts';
import { cudaNotFetched } from './provider-words.ts';
import { wouldFitWords } from '../fit/would-fit-words.ts';

export type Facts = Omit<DoctorReport, 'findings' | 'text'>;

/** What else is known where the app runs. */
export interface Circumstances {
  /** What a person set. */
  readonly preference: 'auto' | 'cuda' | 'webgpu' | 'cpu';
  /** Why the engine stands still; null where it does not. */
  readonly engineHalted: string | null;
  /** Folder of the model in use; null where nobody chose. */
  readonly chosenModel: string | null;
}

const lowDisk = 5e9;
const fullDisk = 1e9;
const recentMs = 7 * 24 * 60 * 60 * 1000;
const levels = ['bad', 'warning', 'note', 'good'] as const satisfies readonly Finding['level'][];

/** What is to be said about a machine, each with its mend; what is wrong comes first. */
export function findAll(facts: Facts, circumstances: Circumstances): Finding[] {
  const found = [
    ...engine(circumstances),
    ...libraries(facts),
    ...graphics(facts, circumstances),
    ...processor(facts),
    ...models(facts, circumstances),
    ...disks(facts),
    ...crashes(facts),
    ...trainer(facts),
  ];
  return levels.flatMap((level) => found.filter((finding) => finding.level === level));
}

function finding(
  level: Finding['level'],
  message: string,
  mend: string | null = null,
  action: Finding['action'] = null,
): Finding {
  return { level, message, mend, action };
}

function engine({ engineHalted }: Circumstances): Finding[] {
  if (engineHalted === null) return [];
  const message = `The engine is stopped: ${engineHalted}`;
  return [
    finding(
      'bad',
      message,
      'Start it again. If it stops once more, choose another model.',
      'restart-engine',
    ),
  ];
}

function libraries({ libraries }: Facts): Finding[] {
  return libraries.flatMap(({ name, fault }) =>
    fault === null
      ? []
      : [finding('bad', `${name} ${fault}.`, 'Install the app again: a part of it is missing.')],
  );
}

function graphics(
  { hardware, providers, choice }: Facts,
  { preference }: Circumstances,
): Finding[] {
  const chosen = providers.find(({ provider }) => provider === preference);
  if (chosen !== undefined && !chosen.usable) {
    const message = `${names[chosen.provider]} is chosen and cannot be used: ${chosen.reason}`;
    return [finding('bad', message, 'Let the engine choose for itself.', 'provider-auto')];
  }
  const [card] = hardware.graphics;
  if (choice.provider !== 'cpu') {
    return [finding('good', `The GPU is used, by ${names[choice.provider]}.`)];
  }
  if (card === undefined) return [finding('note', 'No GPU found; using the processor.')];
  if (preference === 'cpu') {
    const message = `${card.name} is there and not used: the processor is chosen.`;
    return [finding('note', message, 'Let the engine choose for itself.', 'provider-auto')];
  }
  const reasons = providers.filter(({ usable }) => !usable).map(({ reason }) => reason);
  const message = `${card.name} is there and not used. ${[...new Set(reasons)].join(' ')}`;
  if (reasons.includes(cudaNotFetched)) {
    const mend = 'Get the library for CUDA, or install its current driver and start the app again.';
    return [finding('warning', message, mend, 'models')];
  }
  return [finding('warning', message, 'Install its current driver and start the app again.')];
}

const names = { cuda: 'CUDA', webgpu: 'WebGPU', cpu: 'the processor' } as const;

function processor({ hardware, choice }: Facts): Finding[] {
  const { instructions } = hardware;
  const has = (name: string): boolean | null =>
    instructions.find((set) => set.name === name)?.present ?? null;
  if (choice.provider === 'cpu' && has('AVX2') === false) {
    const message =
      'This processor has no AVX2: models run several times slower than on newer ones.';
    return [finding('warning', message, 'Choose a small model.', 'models')];
  }
  const present = instructions.filter((set) => set.present === true).map(({ name }) => name);
  return present.length === 0 ? [] : [finding('good', `The processor has ${present.join(', ')}.`)];
}

function models({ models, hardware }: Facts, { chosenModel }: Circumstances): Finding[] {
  if (models.length === 0) {
    return [finding('bad', 'There is no model.', 'Add one.', 'models')];
  }
  const others = models.filter(({ fits }) => fits).map(({ name }) => name);
  return models.flatMap((model) => {
    const { name, folder, fits, verdict, memoryBytes } = model;
    if (memoryBytes === undefined) {
      const mend = isAway(verdict)
        ? 'See whether the drive with its files is there; else add it again, or remove it.'
        : 'Add it again, or remove it.';
      return [finding('bad', `${name} cannot be used: ${verdict}`, mend, 'models')];
    }
    if (!fits) {
      const mend = wouldFitWords(model, others);
      return [finding('warning', `${name} ${verdict}.`, mend, 'models')];
    }
    if (folder !== chosenModel || memoryBytes.talking < hardware.freeMemoryBytes) return [];
    const free = gigabytes(hardware.freeMemoryBytes);
    const message = `${name} needs ${gigabytes(memoryBytes.talking)} of memory, and ${free} are free now.`;
    return [finding('warning', message, 'Close other programs.')];
  });
}

/** Files that are not there, or not now. */
function isAway(verdict: string): boolean {
  return / does not (?:exist$|answer:)/.test(verdict);
}

function disks({ disks }: Facts): Finding[] {
  return disks.flatMap(({ what, freeBytes }) => {
    if (freeBytes >= lowDisk) return [];
    const message = `${gigabytes(freeBytes)} are free on the disk of ${what}.`;
    const mend = 'Free some: a model takes several gigabytes, and what is written needs room.';
    return [finding(freeBytes < fullDisk ? 'bad' : 'warning', message, mend)];
  });
}

function crashes({ crashes, at }: Facts): Finding[] {
  const recent = crashes.filter((crash) => at - crash.at < recentMs);
  const [last] = recent;
  if (last === undefined) return [];
  const times = recent.length === 1 ? 'once' : `${recent.length} times`;
  const message = `Something stopped unexpectedly ${times} in the last seven days; the last was: ${last.what}`;
  return [finding('warning', message, 'The logs say more.', 'open-logs')];
}

function trainer({ trainer }: Facts): Finding[] {
  switch (trainer.state) {
    case 'ready':
      return [finding('good', 'Python and PyTorch are ready for training.')];
    case 'missing':
      return [finding('note', 'Training is not set up.', 'Set it up where you train.', 'training')];
    case 'broken':
      return [
        finding(
          'warning',
          `Training does not work: ${trainer.message ?? 'its Python does not start.'}`,
          'Set it up anew.',
          'training',
        ),
      ];
    default:
      return trainer.state satisfies never;
  }
}
