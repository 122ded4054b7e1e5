import { benchCommand } from './commands/bench.ts';
import { chatCommand } from './commands/chat.ts';
import { convertDataCommand } from './commands/convert-data.ts';
import { doctorCommand } from './commands/doctor.ts';
import { downloadImagesCommand } from './commands/download-images.ts';
import { drawCommand } from './commands/draw.ts';
import { evaluateCommand } from './commands/evaluate.ts';
import { exportCommand } from './commands/export.ts';
import { extractCommand } from './commands/extract.ts';
import { fitCommand } from './commands/fit.ts';
import { importConversationsCommand } from './commands/import-conversations.ts';
import { importCommand } from './commands/import.ts';
import { modelsCommand } from './commands/models.ts';
import { probeCommand } from './commands/probe.ts';
import { publishCommand } from './commands/publish.ts';
import { recipeCommand } from './commands/recipe.ts';
import { runsCommand } from './commands/runs.ts';
import { serveCommand } from './commands/serve.ts';
import { tokensCommand } from './commands/tokens.ts';
import { trainCommand } from './commands/train.ts';
import { validateDataCommand } from './commands/validate-data.ts';
import type { Command } from './options.ts';

const table = {
  chat: chatCommand,
  draw: drawCommand,
  probe: probeCommand,
  tokens: tokensCommand,
  models: modelsCommand,
  import: importCommand,
  extract: extractCommand,
  export: exportCommand,
  'import-conversations': importConversationsCommand,
  train: trainCommand,
  'validate-data': validateDataCommand,
  'convert-data': convertDataCommand,
  'download-images': downloadImagesCommand,
  recipe: recipeCommand,
  runs: runsCommand,
  publish: publishCommand,
  evaluate: evaluateCommand,
  doctor: doctorCommand,
  serve: serveCommand,
  fit: fitCommand,
  bench: benchCommand,
};

/** By name; without the names that every object has. */
export const commands: Readonly<Record<string, Command | undefined>> = Object.assign(
  Object.create(null) as Record<string, Command>,
  table,
);

export function usage(): string {
  const lines = Object.values(table).map((command) => `  ${command.usage}`);
  return `textbind: conversations of text and pictures on your own machine\n\n${lines.join('\n')}\n\nEvery command takes --json. Exit code 0, 1 on failure, 2 for bad input.\n`;
}
