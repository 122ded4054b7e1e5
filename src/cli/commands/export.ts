import path from 'node:path';
import { exportFormats, type ExportFormat } from '../../shared/domain/exchange.ts';
import { exportConversations } from '../../main/exchange/exporter.ts';
import { command } from '../options.ts';
import { openStudioData } from '../studio-data.ts';
import { UsageError } from '../usage.ts';

/** What the app alone can write needs a page to print. */
const formats = exportFormats.filter((format) => format !== 'pdf');

export const exportCommand = command({
  usage: `textbind export --conversation ID[,ID...]|all --format ${formats.join('|')} --out PATH [--data DIR]`,
  texts: ['conversation', 'format', 'out', 'data'],
  async run({ values, output }) {
    const { conversation, out } = values;
    const format = readFormat(values.format);
    if (conversation === undefined || out === undefined) {
      throw new UsageError('--conversation and --out must be given');
    }
    const { store, pictures, close } = openStudioData(values.data);
    try {
      const all = store.records.ids({ withDeleted: false });
      const conversationIds = conversation === 'all' ? all : conversation.split(',');
      const known = new Set([...all, ...store.records.ids({ withDeleted: true })]);
      const unknown = conversationIds.find((id) => !known.has(id));
      if (unknown !== undefined) throw new UsageError(`there is no conversation ${unknown}`);
      const report = await exportConversations({
        conversationIds,
        format,
        target: path.resolve(out),
        record: (id) => store.records.read(id),
        fileOf: (hash) => pictures.fileOf(hash),
        printPdf: null,
        writtenBy: 'textbind export',
        presets: store.settings.get().presets,
        now: Date.now(),
        onProgress: ({ what, done, total }) => output.progress(`${what}: ${done} of ${total}`),
      });
      output.progress('');
      output.result(report, () => {
        output.line(`${report.conversations} in ${report.path}`);
        if (report.leftOutTurns > 0)
          output.line(`${report.leftOutTurns} turns left out: not a message and its reply`);
        if (report.missingPictures > 0)
          output.line(`${report.missingPictures} pictures have no file`);
      });
    } finally {
      close();
    }
  },
});

function readFormat(given: string | undefined): ExportFormat {
  const format = formats.find((each) => each === given);
  if (format !== undefined) return format;
  throw new UsageError(`--format ${given ?? '(missing)'}: expected ${formats.join(', ')}`);
}
