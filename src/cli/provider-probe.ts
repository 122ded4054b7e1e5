import { spawn } from 'node:child_process';
import { z } from 'zod';
import { parseJson } from '../base/json-file.ts';
import {
  tryProvider,
  useProviderProbe,
  type Provider,
  type ProviderReport,
} from '../worker/runtime/index.ts';

/** The first argument of the process that tries a provider; the second is the provider's name. */
const probeArgument = '--probe-provider';
const providerSchema = z.enum(['cuda', 'webgpu', 'cpu']);
const reportSchema = z.object({
  provider: providerSchema,
  usable: z.boolean(),
  reason: z.string(),
});

/**
 * Lets GPU providers be tried in a process of their own. Drivers and the runtime write warnings to standard error by
 * themselves, where nothing in this process could catch them, and a driver may crash; there both are words in a report.
 * @param program the file that {@link answerProbe} is asked in
 */
export function probeApart(program: string): void {
  useProviderProbe((provider) =>
    provider === 'cpu' ? tryProvider(provider) : askProcess(program, provider),
  );
}

/** Answers where this process was started to try a provider; false where it was not. */
export async function answerProbe(args: readonly string[]): Promise<boolean> {
  if (args[0] !== probeArgument) return false;
  const report = await tryProvider(providerSchema.parse(args[1]));
  process.stdout.write(`${JSON.stringify(report)}\n`);
  return true;
}

function askProcess(program: string, provider: Provider): Promise<ProviderReport> {
  const child = spawn(process.execPath, [...process.execArgv, program, probeArgument, provider], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => (said.out += text));
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said.err += text));
  const unusable = (reason: string): ProviderReport => ({ provider, usable: false, reason });
  return new Promise((resolve) => {
    child.on('error', (error) => resolve(unusable(error.message)));
    child.on('close', (code, signal) => {
      // The log of a command that has none: who wants to see it, asks for it.
      if (process.env['TEXTBIND_DEBUG'] !== undefined) process.stderr.write(said.err);
      const parsed = reportSchema.safeParse(tryParse(said.out));
      resolve(
        parsed.success
          ? parsed.data
          : unusable(`trying it ended by ${signal ?? `exit code ${code}`}: ${lastLine(said.err)}`),
      );
    });
  });
}

function tryParse(text: string): unknown {
  try {
    return parseJson(text, 'the report', 'internal');
  } catch {
    return null;
  }
}

function lastLine(text: string): string {
  return text.trim().split('\n').at(-1)?.trim() ?? '';
}
