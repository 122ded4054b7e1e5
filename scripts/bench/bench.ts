// `npm run bench [-- language chat start]`: what a person waits for, measured; ratios to peers in one run.
// Needs what `npm test` sets up. Figures only mean something on an otherwise idle machine.
import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { benchChat } from './chat.ts';
import { benchColdStart } from './cold-start.ts';
import { benchLanguage } from './language.ts';
import { benchDir, note, printed, type Line } from './report.ts';

const threads = os.availableParallelism();
const model = path.resolve(import.meta.dirname, '../../models/textbind-mini');

const parts: Readonly<Record<string, () => Promise<Line[]>>> = {
  language: () => benchLanguage(threads),
  chat: () => benchChat(model),
  start: benchColdStart,
};

const asked = process.argv.slice(2).filter((argument) => argument in parts);
const [load = 0] = os.loadavg();
note(`${os.cpus()[0]?.model.trim()}, ${threads} threads, Node ${process.version}`);
if (load > 0.5) note(`WARNING: the machine is busy (load ${load.toFixed(1)}): figures are off`);
if (!existsSync(model)) note('there is no models/textbind-mini: chat and start will fail');

const lines: Line[] = [];
for (const [name, work] of Object.entries(parts)) {
  if (asked.length > 0 && !asked.includes(name)) continue;
  note(name);
  try {
    for (const line of await work()) {
      lines.push(line);
      process.stdout.write(`${printed(line)}\n`);
    }
  } catch (error) {
    process.exitCode = 1;
    note(`${name} FAILED: ${error instanceof Error ? error.message : String(error)}`);
  }
}
await mkdir(benchDir, { recursive: true });
const result = { date: new Date().toISOString(), threads, load, lines };
await writeFile(path.join(benchDir, 'results.json'), `${JSON.stringify(result, null, 2)}\n`);
