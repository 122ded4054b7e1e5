import type { ExportFormat, ImportSummary } from '../../../shared/domain/exchange.ts';
import { inUnit } from '../../numbers.ts';
import { t } from '../../texts.svelte.ts';

/** The formats as they are offered, the most used first. */
export const offeredFormats = [
  'md',
  'html',
  'pdf',
  'textbind',
  'zip',
] as const satisfies readonly ExportFormat[];

export const addsNothing = (summary: ImportSummary): boolean =>
  summary.new + summary.extended + summary.presets === 0;

/** The last part of a path. */
export const nameOf = (file: string): string => file.split(/[\\/]/).at(-1) ?? file;

/** What an import would do, or did, in sentences. */
export function importSentences(summary: ImportSummary, done: boolean): readonly string[] {
  const { new: fresh, extended, known, turns, pictures, pictureBytes } = summary;
  const total = fresh + extended + known;
  const size =
    pictureBytes < 1e6
      ? t.exchange.underOneMegabyte
      : inUnit(Math.round(pictureBytes / 1e6), 'megabyte', 0);
  const sentences = [done ? t.exchange.newHere(fresh) : t.exchange.ofWhichNew(total, fresh)];
  if (known > 0) sentences.push(t.exchange.hereAlready(known));
  if (extended > 0) {
    sentences.push(done ? t.exchange.extendedNow(extended) : t.exchange.toExtend(extended));
  }
  if (turns > 0 && pictures === 0) {
    sentences.push(done ? t.exchange.turnsWereAdded(turns) : t.exchange.turnsAreAdded(turns));
  } else if (turns > 0) {
    const say = done ? t.exchange.turnsAndPicturesWereAdded : t.exchange.turnsAndPicturesAreAdded;
    sentences.push(say(turns, pictures, size));
  }
  if (summary.presets > 0) {
    const say = done ? t.exchange.presetsWereAdded : t.exchange.presetsAreAdded;
    sentences.push(say(summary.presets));
  }
  return sentences;
}
