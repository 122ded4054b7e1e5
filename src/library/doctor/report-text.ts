import os from 'node:os';
import type { Finding, Hardware } from '../../shared/domain/doctor.ts';
import { gigabytes } from '../../shared/words.ts';
import type { Facts } from './findings.ts';

/** A report as text for others to read: no path, no name of a person or a machine. */
export function reportText(facts: Facts, findings: readonly Finding[]): string {
  const lines = [
    `TextBind Studio, ${new Date(facts.at).toISOString()}`,
    ...section('Found', findings.map(lineOf)),
    ...section('Machine', machine(facts.hardware)),
    ...section(
      'Providers',
      facts.providers.map(({ provider, usable, reason, detail }) =>
        usable ? `${provider}: works` : `${provider}: ${reason} (${detail})`,
      ),
    ),
    facts.choice.explanation,
    ...section(
      'Models',
      facts.models.map(({ name, verdict }) => `${name}: ${verdict}`),
    ),
    ...section(
      'Versions',
      facts.libraries.map(({ name, version, fault }) => `${name} ${version ?? fault}`),
    ),
    ...section(
      'Disks',
      facts.disks.map(
        ({ what, freeBytes, totalBytes }) =>
          `${what}: ${gigabytes(freeBytes)} of ${gigabytes(totalBytes)} free`,
      ),
    ),
    ...section('Training', [
      `${facts.trainer.state} ${facts.trainer.version ?? ''} ${facts.trainer.message ?? ''}`.trim(),
      ...facts.trainer.packages.map(({ name, version }) => `${name} ${version ?? 'is missing'}`),
    ]),
    ...section(
      'Crashes',
      facts.crashes.map(({ at, what }) => `${new Date(at).toISOString()} ${what}`),
    ),
  ];
  return `${withoutPrivate(lines.join('\n'))}\n`;
}

function section(title: string, lines: readonly string[]): string[] {
  return lines.length === 0 ? [] : ['', `${title}:`, ...lines];
}

function lineOf({ level, message, mend }: Finding): string {
  return `[${level}] ${message}${mend === null ? '' : ` ${mend}`}`;
}

function machine(hardware: Hardware): string[] {
  const sets = hardware.instructions.map(
    ({ name, present }) => `${name} ${present === null ? 'unknown' : present ? 'yes' : 'no'}`,
  );
  return [
    `${hardware.platform} ${hardware.release}`,
    `${hardware.processor}, ${hardware.threads} threads`,
    `${gigabytes(hardware.memoryBytes)} memory, ${gigabytes(hardware.freeMemoryBytes)} free`,
    sets.join(', '),
    ...hardware.graphics.map(({ name, driver }) => `${name}, driver ${driver ?? 'unknown'}`),
  ];
}

export interface Whose {
  readonly home: string;
  readonly user: string;
  readonly host: string;
}

/** Takes out folders (their last name stays), and the names of the person and the machine. */
export function withoutPrivate(
  text: string,
  whose: Whose = { home: os.homedir(), user: userName(), host: os.hostname() },
): string {
  const { home, user, host } = whose;
  const homeless = home.length < 2 ? text : text.replaceAll(home, '~');
  // A folder's name may have spaces; of the last name the first word is kept.
  const withoutFolders = homeless.replaceAll(
    /(?:[A-Za-z]:(?=[\\/])|~(?=[\\/])|(?<![\w.])(?=[\\/]))[\\/](?:[^\\/:"'()\n]+[\\/])*([^\s\\/:"'()]+)/g,
    '.../$1',
  );
  return [user, host]
    .filter((name) => name.length > 2 && name !== 'root' && name !== 'localhost')
    .reduce((less, name) => less.replaceAll(wholeWord(name), '...'), withoutFolders);
}

function wholeWord(name: string): RegExp {
  return new RegExp(`(?<![\\w-])${name.replaceAll(/[^\w]/g, '\\$&')}(?![\\w-])`, 'g');
}

function userName(): string {
  try {
    return os.userInfo().username;
  } catch {
    return '';
  }
}
