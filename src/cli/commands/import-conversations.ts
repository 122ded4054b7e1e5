import path from 'node:path';
import type { ImportSummary } from '../../shared/domain/exchange.ts';
import { openImport, runImport, summariseImport } from '../../main/exchange/importer.ts';
import { decodeImage } from '../../worker/inputs/image.ts';
import { command } from '../options.ts';
import { openStudioData } from '../studio-data.ts';
import { onlyWord } from '../usage.ts';

export const importConversationsCommand = command({
  usage: 'textbind import-conversations PATH [--data DIR] [--dry-run]',
  texts: ['data'],
  flags: ['dry-run'],
  positionals: true,
  async run({ values, positionals, output }) {
    const file = onlyWord(positionals, 'PATH');
    const { store, pictures, folder, close } = openStudioData(values.data);
    try {
      const source = await openImport(path.resolve(file));
      try {
        const target = { store, pictures, folder, checkPicture };
        const options = {
          onProgress: ({ what, done, total }: { what: string; done: number; total: number }) =>
            output.progress(`${what}: ${done} of ${total}`),
        };
        // Looked at first: a disk that is too small is told before anything is written.
        const looked = await summariseImport(source, target, options);
        const summary = values['dry-run'] ? looked : await runImport(source, target, options);
        output.progress('');
        output.result(summary, () => tell(summary, output.line));
        return summary.faultCount > 0 ? 1 : 0;
      } finally {
        source.close();
      }
    } finally {
      close();
    }
  },
});

async function checkPicture(bytes: Uint8Array, name: string): Promise<void> {
  await decodeImage(bytes, name);
}

function tell(summary: ImportSummary, line: (text: string) => void): void {
  const { new: fresh, extended, known, turns, pictures, presets, faultCount, faults } = summary;
  line(`${fresh} new, ${extended} extended, ${known} here already`);
  line(`${turns} turns, ${pictures} pictures`);
  if (presets > 0) line(`${presets} presets`);
  if (faultCount > 0) line(`${faultCount} left out`);
  for (const { conversationId, reason } of faults) line(`  ${conversationId}: ${reason}`);
}
