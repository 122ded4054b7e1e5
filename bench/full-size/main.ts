// `npm run bench -- full-size`: networks of the published system at their true sizes, with random weights.
//   --parts clip-l,llama-7b   which (default: all but unet; -8: matrices in 8 bits)     --side 512   pixels of a picture     --threads 2
//   --peers fp32,bf16   how PyTorch computes beside them ('' for none; -last: channels last)     --rounds 3
//   --contexts 64,256 --tokens 16 --layers 32   what llama-7b reads and writes, against llama.cpp, and how many layers of it     --fast-reading   with the 8-bit copy
//   --out DIR   where the weights are written (default .cache/bench/full-size)     --keep   do not delete them afterwards
import path from 'node:path';
import { parseArgs } from 'node:util';
import { describeMachine, formatMachine } from '../machine.ts';
import { defaultThreads } from '../options.ts';
import { measureLlama } from './llama-7b.ts';
import { measureNetwork } from './networks.ts';
import { parts } from './parts.ts';

const llama = 'llama-7b';
/** In single precision it takes 13 GB; `unet-shallow` has its widths. */
const usual = [...Object.keys(parts).filter((name) => name !== 'unet'), llama];

const { values } = parseArgs({
  options: {
    parts: { type: 'string', default: usual.join(',') },
    side: { type: 'string', default: '512' },
    threads: { type: 'string', default: String(defaultThreads()) },
    rounds: { type: 'string', default: '3' },
    peers: { type: 'string', default: 'fp32,bf16' },
    contexts: { type: 'string', default: '64,256' },
    tokens: { type: 'string', default: '16' },
    layers: { type: 'string', default: '32' },
    out: { type: 'string', default: '.cache/bench/full-size' },
    'fast-reading': { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
  },
});

const common = {
  threads: Number(values.threads),
  rounds: Number(values.rounds),
  keep: values.keep,
  say: (line: string): void => void process.stdout.write(`${line}\n`),
};

process.stdout.write(`${formatMachine(describeMachine())}\n`);
for (const name of values.parts.split(',')) {
  if (name === llama) {
    await measureLlama({
      ...common,
      out: path.resolve(values.out, llama),
      contexts: values.contexts.split(',').map(Number),
      tokens: Number(values.tokens),
      layers: Number(values.layers),
      fastReading: values['fast-reading'],
    });
  } else {
    await measureNetwork(name, {
      ...common,
      out: path.resolve(values.out),
      side: Number(values.side),
      peers: values.peers.split(',').filter((mode) => mode !== ''),
    });
  }
}
