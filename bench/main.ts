// `npm run bench`: what the app's speed is, measured here and now. See README.md beside this file.
import { describeMachine, formatMachine, loadWarning } from './machine.ts';
import { readOptions, usage, UsageError, type BenchOptions, type SectionName } from './options.ts';
import { formatSection, sectionToJson, type Section } from './tables.ts';
import { measureLanguage } from './sections/language.ts';
import { measurePicture } from './sections/picture.ts';
import { measureQuality } from './sections/quality.ts';
import { measureReply } from './sections/reply.ts';
import { measureScale } from './sections/scale.ts';
import { measureScroll } from './sections/scroll.ts';
import { measureStart } from './sections/start.ts';
import { measureStorage } from './sections/storage.ts';
import { measureTrain } from './sections/train.ts';

type Measure = (options: BenchOptions, say: (line: string) => void) => Promise<Section>;

const sections: Readonly<Record<SectionName, Measure>> = {
  language: measureLanguage,
  quality: measureQuality,
  reply: measureReply,
  picture: measurePicture,
  start: measureStart,
  storage: measureStorage,
  scale: measureScale,
  scroll: measureScroll,
  train: measureTrain,
};

/** Progress goes to stderr, so that what is measured can be piped. */
function say(line: string): void {
  process.stderr.write(`... ${line}\n`);
}

/** A section that fails does not take the others with it. */
async function measured(name: SectionName, options: BenchOptions): Promise<Section | Error> {
  try {
    return await sections[name](options, say);
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  const begin = new Date();
  const machine = describeMachine();
  const warning = loadWarning(machine);
  const print = (text: string): void => void (options.json || process.stdout.write(`${text}\n`));
  print(`TextBind Studio, measured ${begin.toISOString().slice(0, 16).replace('T', ' ')} UTC`);
  print(formatMachine(machine));
  if (warning !== null) print(warning);
  const results: unknown[] = [];
  const failures: { readonly name: string; readonly message: string }[] = [];
  for (const name of options.only) {
    const result = await measured(name, options);
    if (result instanceof Error) {
      failures.push({ name, message: result.message });
      process.stderr.write(`${name} FAILED: ${result.stack ?? result.message}\n`);
    } else {
      results.push(sectionToJson(result));
      print(`\n${formatSection(result)}`);
    }
  }
  if (options.json) {
    const report = { date: begin.toISOString(), machine, warning, options, sections: results };
    process.stdout.write(`${JSON.stringify({ ...report, failures }, null, 2)}\n`);
  } else {
    print(`\ntook ${Math.round((Date.now() - begin.getTime()) / 1000)} s`);
  }
  return failures.length === 0 ? 0 : 1;
}

// Ends by itself, so that what runs at the end does: the app and the virtual screen are ended there.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(130));
try {
  process.exitCode = await main();
} catch (error) {
  if (!(error instanceof UsageError)) throw error;
  process.stderr.write(`${error.message}\n${usage}\n`);
  process.exitCode = 2;
}
