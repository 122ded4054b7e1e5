/** Figures that documents state and the code holds: a row a figure, so that neither moves alone. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { flushIntervalMs } from '../src/main/conversations/live-reply.ts';
import { keptBackups } from '../src/main/database/backups.ts';
import { stride } from '../src/main/database/calendar.ts';
import { busyMs } from '../src/main/database/open.ts';
import { keptMs } from '../src/main/keeping.ts';
import { recoveryLimits } from '../src/main/page-recovery.ts';
import { ladderMs } from '../src/main/processes/kill-ladder.ts';
import { decoderTimes } from '../src/main/processes/picture-decoder.ts';
import { supervision } from '../src/main/processes/supervisor.ts';
import { cancelGraceMs } from '../src/main/processes/worker-client.ts';
import { keptDays } from '../src/shared/domain/conversation.ts';
import { decoderMemory, pictureLimits } from '../src/shared/domain/picture.ts';
import { codecTimes } from '../src/worker/inputs/picture-codec.ts';
import { runLength } from '../src/worker/pipelines/language/sequence.ts';

const seconds = (ms: number): string => `${ms / 1000} s`;
const days = (ms: number): number => ms / 86_400_000;
const thousands = (count: number): string => count.toLocaleString('en-US');
const words = ['no', 'one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight', 'nine', 'ten'];

const main = 'src/main/DESIGN.md';
const worker = 'src/worker/DESIGN.md';
const [firstPause, secondPause] = supervision.backOffMs;

const facts: readonly (readonly [string, string])[] = [
  [main, `Ready within ${seconds(supervision.readyMs)} or it is ended`],
  [main, `A ping every ${seconds(supervision.pingEveryMs)};`],
  [
    main,
    `silence counts after ${seconds(supervision.silentIdleMs)} while idle and ${seconds(supervision.silentBusyMs)} while it works`,
  ],
  [
    main,
    `ends it after ${seconds(supervision.killIdleMs)} and ${supervision.killBusyMs / 60_000} min`,
  ],
  [main, `Restart after ${seconds(firstPause)}, then ${seconds(secondPause)};`],
  [
    main,
    `${words[supervision.crashLimit]} crashes in ${words[supervision.crashWindowMs / 60_000]} minutes halt it`,
  ],
  [main, `\`stop\` message, ${seconds(ladderMs.ask)}, SIGTERM, ${seconds(ladderMs.term)}, SIGKILL`],
  [main, `A cancelled request is given up on after ${seconds(cancelGraceMs)};`],
  [main, `Text is stored within ${flushIntervalMs} ms;`],
  [main, `A statement waits ${busyMs.running} ms for another program's lock`],
  [
    main,
    `the newest ${keptBackups.newest}, the last of each of ${keptBackups.days} days, ${keptBackups.migrations} from before migrations`,
  ],
  [
    main,
    `in strides of at most ${days(stride.most)} days, one in ${stride.every / 3_600_000} hours`,
  ],
  [main, `Deleted conversations go after ${keptDays} days`],
  [main, `are dropped after ${days(keptMs.unusedPicture)} days unless a draft holds them`],
  [main, `are deleted after ${days(keptMs.trashedFile)} days there`],
  [
    main,
    `The process has ${seconds(decoderTimes.pictureMs)} and ${decoderMemory.mostBytes / 1e9} GB for a picture`,
  ],
  [
    main,
    `${words[recoveryLimits.reloads]} times within ${recoveryLimits.windowMs === 60_000 ? 'a minute' : seconds(recoveryLimits.windowMs)}`,
  ],
  [worker, `a side has at most ${thousands(pictureLimits.maxSide)} pixels`],
  [worker, `It has ${seconds(codecTimes.idleMs)} without work, then it goes`],
  [worker, `Stop, ${seconds(codecTimes.pictureMs)} and a crash end the thread`],
  [worker, `in runs of ${[0, 1, 2, 3, 4].map(runLength).join(', ')} ... tokens`],
];

describe('figures in documents', () => {
  it.each(facts)('%s says: %s', (document, fact) => {
    const text = readFileSync(path.resolve(import.meta.dirname, '..', document), 'utf8');
    expect(text.replaceAll(/\s+/g, ' ')).toContain(fact);
  });
});
