import type { CudaFacts } from '../../src/shared/domain/cuda.ts';
import type { DrawnPicture, WorkerReplyEvent } from '../../src/shared/contracts/reply-event.ts';
import type { Port } from '../../src/base/port.ts';
import { createPortPair } from '../../src/base/port.ts';
import {
  toWorkerSchema,
  workerRequests,
  type FinishReason,
  type FromWorker,
  type WorkerReplyBody,
  type WorkerRequestBody,
  type WorkerRequestName,
} from '../../src/shared/contracts/worker-protocol.ts';
import type { OpenModelReport } from '../../src/shared/domain/engine-status.ts';
import type { DrawingSettings } from '../../src/shared/domain/settings.ts';
import { StudioError, toWireError } from '../../src/shared/errors.ts';
import type { Child, ChildExit, Spawn } from '../../src/main/processes/child.ts';
import { paint, paintedSize } from './painted-picture.ts';
import { sceneFor, type SceneStep } from './scenes.ts';

/** What the scripted engine is like; a test may change it while it runs. */
export interface Script {
  /** Multiplies every pause; 0 pauses for one turn of the event loop only. */
  pace: number;
  model: Omit<OpenModelReport, 'folder'>;
  /** Why a model cannot be opened; null: it can. */
  openError: string | null;
  /** Opening a model waits for this. */
  opening: Promise<void>;
  /** What it says of CUDA. */
  cuda: CudaFacts;
}

export function defaultScript(pace: number): Script {
  return {
    pace,
    model: {
      name: 'TextBind mini',
      canDraw: true,
      drawing: { side: paintedSize, step: 8, guidance: 5 },
      maxSequenceLength: 2048,
      providers: {
        provider: 'cpu',
        fallbacks: [{ provider: 'cuda', reason: 'no CUDA library was found on this machine.' }],
      },
      seconds: 2.4,
    },
    openError: null,
    opening: Promise.resolve(),
    cuda: { package: null, folder: null, missing: [], fault: null },
  };
}

/** An engine of scenes, started as often as main likes. */
export interface ScriptedWorkers {
  readonly spawn: Spawn;
  readonly script: Script;
  /** The one that runs dies, as by the system when memory runs out. */
  crash(): void;
}

/** Workers in this process that speak the worker protocol over a port, whose replies are scenes. */
export function createScriptedWorkers(pace = 1): ScriptedWorkers {
  const script = defaultScript(pace);
  let running: Child | null = null;
  const spawn: Spawn = () => (running = startWorker(script));
  return { spawn, script, crash: () => running?.kill('SIGKILL') };
}

function startWorker(script: Script): Child {
  const [outside, inside] = createPortPair();
  let tellExit: (exit: ChildExit) => void;
  const exited = new Promise<ChildExit>((resolve) => (tellExit = resolve));
  const exit = (how: ChildExit): void => {
    inside.close();
    tellExit(how);
  };
  new ScriptedWorker(overProcesses(inside), script, exit);
  return {
    port: overProcesses(outside),
    pid: () => process.pid,
    onExit: (callback) => void exited.then(callback),
    lastWords: () => '',
    kill: (signal) => exit({ code: null, signal }),
  };
}

/** A port whose messages take their turn in the event loop, as those of a process do. */
function overProcesses(port: Port): Port {
  return {
    postMessage: (message) => void setImmediate(() => port.postMessage(message)),
    onMessage: (receive) => port.onMessage(receive),
    close: () => port.close(),
  };
}

const calibrated = {
  ...{ openSeconds: 1, tokensPerSecond: 50, promptTokensPerSecond: 500 },
  drawing: { secondsPerStep: 0.1, secondsBeside: 0.5 },
  othersShare: 0,
  ...{ talkingBytes: 400e6, drawingBytes: 500e6 },
};

/** A machine like ours. */
const inspected: WorkerReplyBody<'inspect'> = {
  libraries: [{ name: 'onnxruntime-node', version: '1.30.0', fault: null }],
  providers: [
    { provider: 'cuda', usable: false, reason: '', detail: 'Failed to load shared library' },
    { provider: 'webgpu', usable: false, reason: '', detail: 'No supported adapters' },
    { provider: 'cpu', usable: true, reason: '', detail: '' },
  ],
  choice: { provider: 'cpu', explanation: 'All networks run on the processor.' },
  models: [
    {
      ...{ name: 'TextBind mini', folder: 'textbind-mini', bytesOnDisk: 134e6, fits: true },
      ...{ verdict: 'fits into memory', memoryBytes: { talking: 309e6 } },
    },
  ],
};

/** One worker: requests in, events and replies out. */
export class ScriptedWorker {
  readonly #port: Port;
  readonly #script: Script;
  readonly #exit: (how: ChildExit) => void;
  readonly #cancelled = new Set<string>();
  #drawings = 0;

  constructor(port: Port, script: Script, exit: (how: ChildExit) => void) {
    this.#port = port;
    this.#script = script;
    this.#exit = exit;
    port.onMessage((message) => this.#receive(message));
    this.#post({ type: 'ready', pid: process.pid });
  }

  #post(message: FromWorker): void {
    this.#port.postMessage(message);
  }

  #receive(message: unknown): void {
    const parsed = toWorkerSchema.parse(message);
    if (parsed.type === 'stop') this.#exit({ code: 0, signal: null });
    else if (parsed.type === 'cancel') this.#cancelled.add(parsed.id);
    else if (parsed.type === 'request') {
      void this.#answer(parsed.id, parsed.name as WorkerRequestName, parsed.body);
    }
  }

  async #answer(id: string, name: WorkerRequestName, body: unknown): Promise<void> {
    try {
      const request: unknown = workerRequests[name].request.parse(body);
      const reply = await this.#do(id, name, request as never);
      if (reply !== undefined) this.#post({ type: 'reply', id, body: reply });
    } catch (error) {
      this.#post({ type: 'error', id, error: toWireError(error) });
    }
  }

  #do(id: string, name: WorkerRequestName, body: never): unknown {
    switch (name) {
      case 'models.recognise':
      case 'models.cost':
      case 'models.import':
      case 'models.check':
        throw new StudioError('unsupported', 'The scripted engine puts no models together.');
      case 'models.cuda':
        return this.#script.cuda;
      case 'ping':
        return null;
      case 'memory':
        return { residentBytes: 1e9, sessions: 6 };
      case 'model.open':
        return this.#open(body);
      case 'drawing.open':
        return { sparing: false };
      case 'chat.reply':
        return this.#reply(id, body);
      case 'draw':
        return this.#drawOne(id, body);
      case 'prompt.shorten':
        return shortened(body);
      case 'prompt.measure':
        return measured(body, this.#script.model.maxSequenceLength);
      case 'calibrate':
        return { provider: 'cpu', measured: calibrated };
      case 'inspect':
        return inspected;
      default:
        return name satisfies never;
    }
  }

  async #open({ folder }: WorkerRequestBody<'model.open'>): Promise<OpenModelReport> {
    await this.#script.opening;
    const { openError, model } = this.#script;
    if (openError !== null) throw new StudioError('model-invalid', openError);
    return { ...model, folder };
  }

  async #reply(id: string, body: WorkerRequestBody<'chat.reply'>): Promise<unknown> {
    await this.#wait(500);
    for (const step of wished(sceneFor(body.turns), body.wish)) {
      if (this.#cancelled.has(id)) break;
      // A worker that died answers nothing.
      if (step.do === 'crash') return this.#exit({ code: null, signal: 'SIGKILL' });
      if (step.do === 'fail') throw new StudioError('bad-input', step.message);
      if (step.do === 'cut') return this.#finished('length');
      await this.#play(id, step, body.drawing);
    }
    return this.#finished(this.#cancelled.has(id) ? 'cancelled' : 'end');
  }

  #finished(finish: FinishReason) {
    const pictures = this.#drawings;
    this.#drawings = 0;
    const usage = {
      promptTokens: 184,
      replyTokens: 42,
      prefillSeconds: 0.38,
      decodeSeconds: 1.1,
      firstTokenSeconds: 0.5,
      pictures,
      drawSeconds: pictures * 4.4,
    };
    return { finish, usage };
  }

  async #play(
    id: string,
    step: Extract<SceneStep, { do: 'say' | 'draw' | 'notice' }>,
    drawing: DrawingSettings,
  ): Promise<void> {
    const emit = (event: WorkerReplyEvent): void => this.#post({ type: 'event', id, body: event });
    if (step.do === 'notice') {
      emit({ kind: 'notice', notice: { code: 'context-trimmed', message: step.message } });
    } else if (step.do === 'say') {
      await this.#say(id, step.text, 35, (text) => emit({ kind: 'text', text }));
    } else await this.#drawInReply(id, step, drawing, emit);
  }

  /** In words, until it is cancelled. */
  async #say(id: string, text: string, ms: number, emit: (piece: string) => void): Promise<void> {
    for (const piece of text.match(/\s*\S+(?:\s+$)?/g) ?? []) {
      if (this.#cancelled.has(id)) return;
      emit(piece);
      await this.#wait(ms);
    }
  }

  async #drawInReply(
    id: string,
    { caption, fails }: Extract<SceneStep, { do: 'draw' }>,
    drawing: DrawingSettings,
    emit: (event: WorkerReplyEvent) => void,
  ): Promise<void> {
    emit({ kind: 'caption-started' });
    let said = '';
    await this.#say(id, caption, 40, (text) => {
      said += text;
      emit({ kind: 'caption-text', text });
    });
    emit({ kind: 'caption-finished', caption: said });
    try {
      if (!drawing.enabled)
        throw new StudioError('unsupported', 'DrawingSettings is switched off.');
      emit(await this.#draw(id, said, drawing, emit, fails));
      this.#drawings += 1;
    } catch (error) {
      emit({ kind: 'drawing-failed', caption: said, error: toWireError(error) });
    }
  }

  #drawOne(
    id: string,
    { caption, drawing, size }: WorkerRequestBody<'draw'>,
  ): Promise<DrawnPicture> {
    const emit = (event: WorkerReplyEvent): void => this.#post({ type: 'event', id, body: event });
    return this.#draw(
      id,
      caption,
      drawing,
      emit,
      /fails/.test(caption) ? 'No memory.' : undefined,
      size,
    );
  }

  async #draw(
    id: string,
    caption: string,
    { steps, seed: wanted, guidance, negative }: DrawingSettings,
    emit: (event: WorkerReplyEvent) => void,
    fails: string | undefined,
    size = { width: paintedSize, height: paintedSize },
  ): Promise<DrawnPicture> {
    const seed = wanted ?? Math.floor(Math.random() * 0xffff_ffff);
    for (let step = 0; step <= steps; step += 1) {
      if (this.#cancelled.has(id)) {
        throw new StudioError('cancelled', 'Stopped before the picture was drawn.');
      }
      if (fails !== undefined && step > steps / 3) throw new StudioError('out-of-memory', fails);
      const preview = step % 4 === 0 && step > 0 ? paint(caption, seed, step / steps) : null;
      const secondsLeft = step === 0 ? null : (steps - step) * 0.11;
      emit({ kind: 'drawing-step', step, steps, secondsLeft, preview, ...size });
      await this.#wait(110);
    }
    const recipe = {
      ...{ seed, steps, guidance: guidance ?? 5, model: this.#script.model.name },
      ...(negative === '' ? {} : { negative }),
    };
    const png = paint(caption, seed, 1, size);
    return { kind: 'picture', png, ...size, caption, recipe, seconds: 4.4 };
  }

  #wait(ms: number): Promise<void> {
    return new Promise((done) => setTimeout(done, ms * this.#script.pace));
  }
}

/** The scene as a person wishes it. */
function wished(
  scene: readonly SceneStep[],
  wish: WorkerRequestBody<'chat.reply'>['wish'],
): readonly SceneStep[] {
  const without = scene.filter((step) => step.do !== 'draw');
  if (wish === 'words') return without;
  const drawn = scene.find((step) => step.do === 'draw') ?? { do: 'draw', caption: 'what it is' };
  return wish === 'draw' ? [drawn, ...without] : scene;
}

/** The first words and the last of each text. */
function shortened({
  parts,
}: WorkerRequestBody<'prompt.shorten'>): WorkerReplyBody<'prompt.shorten'> {
  return {
    parts: parts.map((part) => {
      if (part.kind !== 'text') return part;
      const words = part.text.split(/\s+/);
      return { kind: 'text', text: `${words[0] ?? ''} … ${words.at(-1) ?? ''}` };
    }),
  };
}

/** As the engine measures, a word taking one token and a picture 8; turns go from the front where all do not fit. */
function measured(
  { turns, message, maxNewTokens, system = '' }: WorkerRequestBody<'prompt.measure'>,
  most: number,
): WorkerReplyBody<'prompt.measure'> {
  const room = most - Math.min(maxNewTokens, Math.floor(most / 4));
  const sizeOf = (parts: typeof message): number =>
    parts.reduce((sum, part) => sum + (part.kind === 'text' ? wordsIn(part.text) : 8), 4);
  const messageTokens = sizeOf(message) + wordsIn(system);
  let [tokens, firstTurn] = [messageTokens, turns.length];
  while (firstTurn > 0 && tokens + sizeOf(turns[firstTurn - 1]!.parts) <= room) {
    firstTurn -= 1;
    tokens += sizeOf(turns[firstTurn]!.parts);
  }
  return { tokens, messageTokens, room, firstTurn };
}

const wordsIn = (text: string): number => text.split(/\s+/).filter((word) => word !== '').length;
