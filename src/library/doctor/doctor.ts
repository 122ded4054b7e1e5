/** One look at everything, for the window and for `textbind doctor`. */
import type { Circumstances, Facts } from './findings.ts';
import type {
  DoctorReport,
  EngineFacts,
  TrainerFacts,
  Version,
} from '../../shared/domain/doctor.ts';
import { readCrashes } from './crashes.ts';
import { readDisks } from './disks.ts';
import { findAll } from './findings.ts';
import { readHardware } from './hardware.ts';
import { whyNotProvider } from './provider-words.ts';
import { reportText } from './report-text.ts';

export interface DoctorParts extends Circumstances {
  /** Asks a process that loads the engine. */
  readonly engineFacts: () => Promise<EngineFacts>;
  readonly trainer: () => Promise<TrainerFacts>;
  readonly folders: readonly { readonly what: string; readonly folder: string }[];
  /** What is expected of each model, from what was measured before. */
  readonly fits: (engine: EngineFacts) => DoctorReport['fits'];
  readonly logFolder: string;
  /** Of the app itself. */
  readonly versions: readonly Version[];
  readonly now: number;
}

export async function examine(parts: DoctorParts): Promise<DoctorReport> {
  const [engine, trainer, hardware, disks] = await Promise.all([
    parts.engineFacts(),
    parts.trainer(),
    readHardware(),
    readDisks(parts.folders),
  ]);
  const hasNvidia = hardware.graphics.some(({ name }) => /nvidia/i.test(name));
  const facts: Facts = {
    ...engine,
    at: parts.now,
    hardware,
    libraries: [...parts.versions, ...engine.libraries],
    providers: engine.providers.map((tried) => ({
      ...tried,
      reason: tried.usable ? '' : whyNotProvider(tried.provider, tried.detail, hasNvidia),
    })),
    disks,
    trainer,
    fits: parts.fits(engine),
    crashes: readCrashes(parts.logFolder),
  };
  const findings = findAll(facts, parts);
  return { ...facts, findings, text: reportText(facts, findings) };
}
