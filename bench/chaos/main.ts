// `npm run bench -- chaos`: things go wrong in the middle of a conversation, again and again, by seed. After each: nothing
// that was confirmed is missing, no reply hangs, and the window works.
//   --steps 100   --seed 1   --only NAME[,NAME]   --app FILE a packed program
//   --models-folder DIR   that folder's models instead of the app's own: a tiny one makes thousands of starts possible
//   --look-every 1   after so many steps all is looked for, and somebody asks and is answered; thousands take hours with 1
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Refused, sleep, startApp, type RunningApp } from '../app/app.ts';
import { createPerson, missing, type Person } from '../app/person.ts';
import { makePlace } from '../app/place.ts';
import { pick, seeded } from '../app/random.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { faultNames, faults, recovered, type FaultName, type Scene } from './faults.ts';
import { mountSmallDisk, ownClock, slowDisk, type Means } from './means.ts';

/** A little more than recoveryLimits of src/main/page-recovery.ts. */
const pageWindowMs = 65_000;

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    'look-every': { type: 'string', default: '1' },
    app: { type: 'string' },
    'models-folder': { type: 'string' },
  },
});

/** The faults that are wanted and for which the machine has what they need; why others are left out is said. */
function chosenFaults(missing: Partial<Record<FaultName, string | null>>): readonly FaultName[] {
  const wanted = values.only?.split(',') ?? faultNames;
  return faultNames.filter((name) => {
    if (!wanted.includes(name)) return false;
    const why = missing[name] ?? null;
    if (why !== null) process.stdout.write(`left out: ${name} (${why})\n`);
    return why === null;
  });
}

const thingOf = <Thing>(means: Means<Thing>): Thing | null =>
  'thing' in means ? means.thing : null;
const missingOf = (means: Means<unknown>): string | null =>
  'missing' in means ? means.missing : null;

/** What was asked for may be refused while a fault lasts, with a sentence; nothing else may be thrown. */
async function mayBeRefused(work: Promise<unknown>): Promise<string | null> {
  try {
    await work;
    return null;
  } catch (error) {
    if (error instanceof Refused) return error.message;
    if (error instanceof Error && error.message === 'the page is gone') return 'the page is gone';
    throw error;
  }
}

/** Three pages that die within a minute are loaded again by themselves; of a fourth the app asks the person, who is not here. */
async function withoutAFourth(
  name: FaultName,
  kills: number[],
  another: () => FaultName,
): Promise<FaultName> {
  const page: FaultName = 'SIGKILL of the page';
  let chosen = name;
  for (let tries = 0; chosen === page; tries += 1) {
    const since = Date.now() - (kills.at(-3) ?? 0);
    if (since > pageWindowMs) {
      kills.push(Date.now());
      return page;
    }
    if (tries < 20) chosen = another();
    else await sleep(pageWindowMs - since + 1000);
  }
  return chosen;
}

/** One fault in the middle of a reply. @returns what was refused meanwhile */
async function step(
  scene: Scene,
  person: Person,
  name: FaultName,
  random: () => number,
): Promise<string> {
  const during = mayBeRefused(person.send(random() < 0.3));
  // Before it is stored, while it is written, and after its end.
  await sleep(random() * 1200);
  const heal = await faults[name](scene);
  const said = [await during];
  if (heal !== null && !name.startsWith('SIGSTOP'))
    said.push(await mayBeRefused(person.send(false)));
  await heal?.();
  await recovered(scene);
  await person.settle();
  return said.flatMap((each) => each ?? []).join(' | ');
}

/** Nothing is missing, and it works: somebody asks, and is answered. What the disk refused is stored within a second or two. */
async function look(scene: Scene, person: Person, name: FaultName): Promise<void> {
  for (const ask of [null, 'ask anew'] as const) {
    if (ask !== null) await person.act(ask);
    const lost = await missing(scene.app(), person.confirmed);
    if (lost.length > 0) throw new Error(`lost after ${name}: ${lost.join('; ')}`);
  }
}

/** The place with what some faults need, and the faults that it allows. */
async function prepare(random: () => number) {
  const place = await makePlace(values.app);
  const disk = mountSmallDisk(place.userData);
  const clock = ownClock(place.folder);
  const slow = slowDisk();
  const names = chosenFaults({
    'disk full': missingOf(disk),
    'slow disk': missingOf(slow),
    'clock jumps': missingOf(clock),
    'clock is wrong for one start': missingOf(clock),
  });
  const needsClock = names.some((name) => name.startsWith('clock'));
  // Without need the app runs on the machine's own clock.
  const environment = needsClock ? { environment: thingOf(clock)?.environment ?? {} } : {};
  const folder = values['models-folder'];
  const models = folder === undefined ? [] : [`--models-folder=${path.resolve(folder)}`];
  const options = { ...place, ...environment, switches: [...place.switches, ...models] };
  let app: RunningApp = await startApp(options);
  const scene: Scene = {
    place,
    database: path.join(place.userData, 'data/textbind.db'),
    clock: thingOf(clock),
    slowDisk: thingOf(slow),
    random,
    app: () => app,
    async start() {
      app = await startApp(options);
    },
  };
  const leave = (): void => {
    thingOf(disk)?.();
    place.leave();
  };
  return { scene, names, leave };
}

async function main(): Promise<number> {
  const random = seeded(Number(values.seed));
  process.stdout.write(`${formatMachine(describeMachine())}\n`);
  const { scene, names, leave } = await prepare(random);
  const counts = new Map<FaultName, number>();
  const pageKills: number[] = [];
  let at = 0;
  let name: FaultName | null = null;
  try {
    await recovered(scene);
    await scene.app().request('settings.set', {
      drawing: { steps: 4, guidance: null, negative: '', seed: null, enabled: true },
      sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens: 40, seed: null },
    });
    const person = createPerson(() => scene.app(), random);
    const steps = Number(values.steps);
    const lookEvery = Number(values['look-every']);
    for (; at < steps; at += 1) {
      // Each once in turn, then by chance.
      name = await withoutAFourth(names[at] ?? pick(names, random), pageKills, () =>
        pick(names, random),
      );
      const said = await step(scene, person, name, random);
      if ((at + 1) % lookEvery === 0 || at + 1 === steps) await look(scene, person, name);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      process.stdout.write(`${at + 1}/${steps} ${name}${said === '' ? '' : `: ${said}`}\n`);
    }
    await scene.app().quit();
    const summary = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
    process.stdout.write(`nothing confirmed is missing, the window works: ${summary}\n`);
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stdout.write(
      `FAILED at step ${at + 1} (${name ?? 'before any'}) of seed ${values.seed}: ${reason}\n`,
    );
    scene.app().signal('SIGKILL');
    await scene.app().ended;
    return 1;
  } finally {
    leave();
  }
}

process.exit(await main());
