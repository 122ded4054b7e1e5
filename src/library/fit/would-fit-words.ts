import type { InsteadOfModel, ModelVerdict } from '../../shared/domain/doctor.ts';
import { gigabytes } from '../../shared/words.ts';

/** What would fit in a model's place, in sentences with figures and what to do. @param others models here that fit */
export function wouldFitWords(
  { instead, memoryBytes }: Pick<ModelVerdict, 'instead' | 'memoryBytes'>,
  others: readonly string[],
): string {
  if (memoryBytes === undefined) return '';
  if (instead === undefined)
    return 'Import it with 4-bit weights, or take a smaller one of the same kind.';
  if (instead === null) {
    const known = others.length === 0 ? '' : ` ${others.slice(0, 3).join(', ')} would fit.`;
    return `Not even with its language model in 4 bits and without drawing.${known}`;
  }
  const pictures =
    instead.drawingBytes === null ? '' : ` and ${gigabytes(instead.drawingBytes)} for pictures`;
  const changes = changesOf(instead);
  return `${changes.what} it would take ${gigabytes(instead.talkingBytes)} for words${pictures}. Add it again, ${changes.how}.`;
}

function changesOf({ bits, leaveOut }: Pick<InsteadOfModel, 'bits' | 'leaveOut'>) {
  const without = leaveOut === null ? null : leaveOut === 'refiner' ? 'the refiner' : 'drawing';
  const inBits = bits === null ? '' : `with its language model in ${bits} bits`;
  const what = [inBits, without === null ? '' : `without ${without}`].filter((each) => each !== '');
  const how = [
    bits === null ? '' : `copied in ${bits} bits`,
    without === null
      ? ''
      : `leaving out ${without === 'drawing' ? 'the part that draws' : without}`,
  ].filter((each) => each !== '');
  const sentence = what.join(' and ');
  return { what: sentence.charAt(0).toUpperCase() + sentence.slice(1), how: how.join(' and ') };
}
