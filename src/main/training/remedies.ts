import type { RunTrouble } from '../../shared/domain/training.ts';

/** What to do about each kind of trouble, in a sentence or two for a person. */
const remedies: Readonly<Record<RunTrouble['kind'], string>> = {
  config: 'Change the setting that is named, then go on.',
  data: 'Look through the data set under Data: it lists each fault with its row. Rows with faults can be left out.',
  checkpoint:
    'The files of a checkpoint are not what was written. Delete the damaged one in the folder of the run, or begin a new run.',
  diverged:
    'The loss grew without bound. Lower the learning rate, to a third for a start, and go on: the last checkpoint is from before.',
  memory:
    'Make the micro-batch smaller, or turn on activation checkpointing or adapters (LoRA) in a new run. Closing other programs helps too.',
  disk: 'Make room on the disk, then go on from the last checkpoint. Keeping fewer checkpoints takes less.',
  internal: 'The log says more. Going on from the last checkpoint is worth a try.',
  killed:
    'Nothing before the last checkpoint is lost: go on. If the system ended it for want of memory, make the micro-batch smaller first.',
};

/** Trouble with its remedy. */
export function troubleOf(kind: RunTrouble['kind'], message: string): RunTrouble {
  return { kind, message, remedy: remedies[kind] };
}
