// `npm run bench -- chaos`: things go wrong in the middle of a conversation, again and again, by seed. After each: nothing
// that was confirmed is missing, no reply hangs, and the window works.
//   --steps 100   --seed 1   --only NAME[,NAME]   --app FILE a packed program
//   --look-every 1   after so many steps all is looked for, and somebody asks and is answered; thousands take hours with 1
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { Refused, sleep, startApp, type RunningApp } from '../app/app.ts';
import { createPerson, missing, type Person } from '../app/person.ts';
import { makePlace } from '../app/place.ts';
import { pick, seeded } from '../app/random.ts';
import { describeMachine, formatMachine } from '../machine.ts';
import { faultNames, faults, recovered, type FaultName, type Scene } from './faults.ts';

const { values } = parseArgs({
  options: {
    steps: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    only: { type: 'string' },
    'look-every': { type: 'string', default: '1' },
    app: { type: 'string' },
  },
});

/** A small disk under the data folder, where this user may have one. @returns why not, else what takes it away */
function mountSmallDisk(folder: string): string | (() => void) {
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=256m,mode=700', 'tmpfs', folder], {
      stdio: 'pipe',
    });
    let mounted = true;
    const unmount = (): void => {
      if (mounted) execFileSync('umount', ['--lazy', folder]);
      mounted = false;
    };
    process.on('exit', unmount);
    return unmount;
  } catch (error) {
    return error instanceof Error ? (error.message.split('\n')[0] ?? '') : String(error);
  }
}

function chosenFaults(hasDisk: boolean): readonly FaultName[] {
  const wanted = values.only?.split(',');
  return faultNames.filter(
    (name) => (wanted === undefined || wanted.includes(name)) && (name !== 'disk full' || hasDisk),
  );
}

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

async function main(): Promise<number> {
  const place = await makePlace(values.app);
  const disk = mountSmallDisk(place.userData);
  const random = seeded(Number(values.seed));
  const names = chosenFaults(typeof disk !== 'string');
  process.stdout.write(`${formatMachine(describeMachine())}\n`);
  if (typeof disk === 'string')
    process.stdout.write(`left out: disk full (no small disk: ${disk})\n`);
  let app: RunningApp = await startApp(place);
  const scene: Scene = {
    place,
    database: path.join(place.userData, 'data/textbind.db'),
    app: () => app,
    async start() {
      app = await startApp(place);
    },
  };
  const counts = new Map<FaultName, number>();
  let at = 0;
  try {
    await recovered(scene);
    await app.request('settings.set', {
      drawing: { steps: 4, guidance: null, negative: '', seed: null, enabled: true },
      sampling: { temperature: 0, topK: 0, topP: 1, maxNewTokens: 40, seed: null },
    });
    const person = createPerson(() => app, random);
    const steps = Number(values.steps);
    const lookEvery = Number(values['look-every']);
    for (; at < steps; at += 1) {
      // Each once in turn, then by chance.
      const name = names[at] ?? pick(names, random);
      const said = await step(scene, person, name, random);
      if ((at + 1) % lookEvery === 0 || at + 1 === steps) await look(scene, person, name);
      counts.set(name, (counts.get(name) ?? 0) + 1);
      process.stdout.write(`${at + 1}/${steps} ${name}${said === '' ? '' : `: ${said}`}\n`);
      // Two pages that die within a minute are normal, a fourth would ask the person.
      if (name === 'SIGKILL of the page') await sleep(500);
    }
    await app.quit();
    const summary = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
    process.stdout.write(`nothing confirmed is missing, the window works: ${summary}\n`);
    return 0;
  } catch (error) {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    process.stdout.write(`FAILED at step ${at + 1} of seed ${values.seed}: ${reason}\n`);
    app.signal('SIGKILL');
    await app.ended;
    return 1;
  } finally {
    if (typeof disk !== 'string') disk();
    place.leave();
  }
}

process.exit(await main());
