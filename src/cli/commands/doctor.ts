import path from 'node:path';
import { examine } from '../../library/doctor/doctor.ts';
import { estimateAll } from '../../library/fit/fit-book.ts';
import { drawingSchema } from '../../shared/domain/settings.ts';
import { openFitBook } from '../fit.ts';
import { gigabytes } from '../../shared/words.ts';
import { readTrainerFacts } from '../../main/training/trainer-facts.ts';
import { resolveModelFolder } from '../../library/models.ts';
import { inspectEngine } from '../../worker/inspect.ts';
import { modelsFolders } from '../model-option.ts';
import { userDataFolder } from '../user-data.ts';
import { command } from '../options.ts';
import { trainerPython } from '../trainer-process.ts';

export const doctorCommand = command({
  usage: 'textbind doctor [--text] [--json]',
  flags: ['text'],
  async run({ output, values }) {
    const folders = modelsFolders();
    const { steps } = drawingSchema.parse({});
    const report = await examine({
      engineFacts: () => inspectEngine(folders),
      trainer: () => readTrainerFacts(pythonHere()),
      folders: [
        { what: 'models', folder: folders[0].folder },
        { what: 'conversations', folder: path.join(userDataFolder(), 'data') },
      ],
      fits: ({ models, choice }) => estimateAll(openFitBook(), models, choice.provider, steps),
      logFolder: path.join(userDataFolder(), 'logs'),
      versions: [{ name: 'node', version: process.versions.node, fault: null }],
      now: Date.now(),
      preference: 'auto',
      engineHalted: null,
      chosenModel: resolveModelFolder(folders, null),
    });
    output.result(report, () => {
      // As it may be sent to others.
      if (values.text) return output.line(report.text.trimEnd());
      const { hardware } = report;
      output.line(
        `${hardware.processor}, ${hardware.threads} threads, ${gigabytes(hardware.memoryBytes)} memory, ${gigabytes(hardware.freeMemoryBytes)} free (${hardware.platform})`,
      );
      for (const { name, version, fault } of report.libraries) {
        output.line(`${name} ${version ?? ''}${fault === null ? '' : `: ${fault}`}`);
      }
      for (const { provider, usable, reason } of report.providers) {
        output.line(`${provider}: ${usable ? 'works' : `cannot be used: ${reason}`}`);
      }
      output.line(report.choice.explanation);
      for (const { name, verdict } of report.models) output.line(`${name}: ${verdict}`);
      for (const { level, message, mend } of report.findings) {
        output.line(`[${level}] ${message}${mend === null ? '' : ` ${mend}`}`);
      }
    });
  },
});

function pythonHere(): string | null {
  try {
    return trainerPython();
  } catch {
    return null;
  }
}
