// Moves a model and ends as a process that is killed does: after so many bytes, or once the new places are named.
import { moveModel } from '../../../src/main/models/move-model.ts';
import { readFileSync } from 'node:fs';

const [planFile = '', parts = '', killAt = ''] = process.argv.slice(2);
const die = (): void => void process.kill(process.pid, 'SIGKILL');
const plan = JSON.parse(readFileSync(planFile, 'utf8')) as Parameters<typeof moveModel>[0];

await moveModel(plan, {
  parts,
  signal: new AbortController().signal,
  onBytes(bytes) {
    if (killAt !== 'switched' && bytes >= Number(killAt)) die();
  },
  async onSwitched() {
    if (killAt === 'switched') die();
    // A signal to oneself is heard at once, but not before this line.
    await new Promise(() => setTimeout(() => undefined, 60_000));
  },
});
