/**
 * `quantiseModel` as a command, for recipes: `node src/worker/conversion/quantise-command.ts FROM TO
 * [4|8] [layers that keep 4]`. A file of its own that nothing imports: once bundled, a module cannot tell whether it is the
 * one that was started.
 */
import { quantiseModel } from './quantise-model.ts';
import { reasonOf } from '../../shared/errors.ts';

async function main(args: readonly string[]): Promise<void> {
  const [from, to, bits = '4', low = '0'] = args;
  if (!from || !to || !['4', '8'].includes(bits) || !/^\d{1,3}$/.test(low)) {
    process.stderr.write('usage: quantise-command.ts FROM TO [4|8] [LAYERS THAT KEEP 4]\n');
    process.exitCode = 2;
    return;
  }
  try {
    const bytes = await quantiseModel(from, to, {
      bits: bits === '8' ? 8 : 4,
      lowLayers: Number(low),
      maxShardBytes: 45_000_000,
    });
    process.stdout.write(`${to}: ${(bytes / 1e6).toFixed(1)} MB\n`);
  } catch (error) {
    process.stderr.write(`${reasonOf(error)}\n`);
    process.exitCode = 1;
  }
}

await main(process.argv.slice(2));
