import type { RunChange, RunFile, RunTrouble } from '../../../shared/domain/training.ts';
import { publishedSettings } from './defaults.ts';
import { t } from '../../texts.svelte.ts';

/** What can be done about trouble by one press. */
export interface Remedy {
  readonly label: string;
  readonly change: RunChange;
}

/** The change of settings that the words of a trouble advise; null where only a person can help. */
export function remedyOf(kind: RunTrouble['kind'], file: RunFile): Remedy | null {
  const table = publishedSettings[file.stage];
  switch (kind) {
    case 'diverged': {
      const rate = Number(((file.learningRate ?? table.learningRate) / 3).toPrecision(2));
      return { label: t.training.goOnAtRateOf(rate), change: { learningRate: rate } };
    }
    case 'memory':
    case 'killed':
      return lessMemory(file, file.microBatchSize ?? table.microBatchSize);
    case 'disk':
      return Number(file['keepCheckpoints'] ?? 2) === 1
        ? null
        : { label: t.training.goOnKeepingOneCheckpoint, change: { keepCheckpoints: 1 } };
    case 'data':
      if (file.stage === 1 || file.data['badRows'] === 'skip') return null;
      return { label: t.training.goOnWithoutThoseRows, change: { skipBadRows: true } };
    case 'config':
    case 'checkpoint':
    case 'internal':
      return null;
    default:
      return kind satisfies never;
  }
}

/** Fewer samples at once, then activations computed again: neither changes what is learnt. */
function lessMemory(file: RunFile, atOnce: number): Remedy | null {
  if (atOnce > 1) {
    const microBatchSize = Math.floor(atOnce / 2);
    return {
      label: t.training.goOnWithAtOnce(microBatchSize, atOnce),
      change: { microBatchSize },
    };
  }
  if (file['activationCheckpointing'] === true) return null;
  return {
    label: t.training.goOnComputingActivationsAgain,
    change: { activationCheckpointing: true },
  };
}
