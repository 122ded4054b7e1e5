import type { ExportFormat, ImportSummary } from '../../../shared/domain/exchange.ts';

/** The formats as they are offered, the most used first. */
export const offeredFormats = [
  { format: 'md', name: 'Markdown', says: 'Text with its pictures in a folder beside it' },
  { format: 'html', name: 'Web page', says: 'One file with everything in it, as it looks here' },
  { format: 'pdf', name: 'PDF', says: 'To print or to send' },
  {
    format: 'textbind',
    name: 'TextBind JSON',
    says: 'Training data for stage 2, as Training reads it',
  },
  {
    format: 'zip',
    name: 'Archive',
    says: 'Complete: every version, picture and recipe; can be imported again',
  },
] as const satisfies readonly {
  readonly format: ExportFormat;
  readonly name: string;
  readonly says: string;
}[];

export const addsNothing = (summary: ImportSummary): boolean =>
  summary.new + summary.extended === 0;

/** The last part of a path. */
export const nameOf = (file: string): string => file.split(/[\\/]/).at(-1) ?? file;

const counted = (count: number, one: string, many: string): string =>
  `${count} ${count === 1 ? one : many}`;

/** What an import would do, or did, in sentences. */
export function importSentences(summary: ImportSummary, done: boolean): readonly string[] {
  const { new: fresh, extended, known, turns, pictures, pictureBytes } = summary;
  const total = fresh + extended + known;
  const size = pictureBytes < 1e6 ? 'under 1 MB' : `${Math.round(pictureBytes / 1e6)} MB`;
  const sentences = [
    done
      ? `${counted(fresh, 'conversation is', 'conversations are')} new here.`
      : `${counted(total, 'conversation', 'conversations')}, of which ${counted(fresh, 'is', 'are')} new.`,
  ];
  if (known > 0) sentences.push(`${counted(known, 'is', 'are')} here already, and unchanged.`);
  if (extended > 0) {
    sentences.push(
      done
        ? `${counted(extended, 'was', 'were')} here without some of this, which stands beside it now.`
        : `${counted(extended, 'is', 'are')} here without some of this, or in the trash: what is missing comes beside what is here.`,
    );
  }
  if (turns > 0) {
    const shown =
      pictures === 0 ? '' : ` and ${counted(pictures, 'picture', 'pictures')} (${size})`;
    sentences.push(
      `${counted(turns, 'turn', 'turns')}${shown} ${done ? 'were added' : 'are added'}.`,
    );
  }
  return sentences;
}
