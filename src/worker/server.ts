import { firstFault } from '../base/json-file.ts';
import { silentLogger, withFields, type Logger } from '../base/log.ts';
import type { Port } from '../base/port.ts';
import {
  toWorkerSchema,
  workerRequests,
  type FromWorker,
  type WorkerEventBody,
  type WorkerReplyBody,
  type WorkerRequestBody,
  type WorkerRequestName,
} from '../shared/contracts/worker-protocol.ts';
import { StudioError, toWireError } from '../shared/errors.ts';
import { AskedDrawings } from './asked-drawings.ts';
import type { Draw, Drawer } from './pipelines/drawing/drawer.ts';
import { checkOneModel, costOfImport, importOneModel, recogniseModels } from './model-requests.ts';
import { toStudioError } from './pipelines/model-errors.ts';
import type { TextBindModel } from './pipelines/textbind-model.ts';

/** The part of an open model that the server uses. */
export type ServedModel = Pick<
  TextBindModel,
  'reply' | 'shorten' | 'measure' | 'draw' | 'release' | 'report' | 'sessionCount'
>;

/** The part of an open drawing part that the server uses. */
export type ServedDrawer = Pick<Drawer, 'draw' | 'release' | 'sparing' | 'sessionCount'>;

export interface WorkerServerOptions {
  readonly port: Port;
  /** Never given anything that a person or a model wrote. */
  readonly log: Logger;
  readonly openModel: (
    request: WorkerRequestBody<'model.open'>,
    onProgress: (event: WorkerEventBody<'model.open'>) => void,
    /** Draws in another process. */
    drawApart: Draw,
  ) => Promise<ServedModel>;
  /** Opens a model's drawing part alone. */
  readonly openDrawer: (
    request: WorkerRequestBody<'drawing.open'>,
    onProgress: (event: WorkerEventBody<'drawing.open'>) => void,
  ) => Promise<ServedDrawer>;
  /** Ends the process, once everything is released. */
  readonly exit: (code: number) => void;
}

/** One request under way or waiting. */
interface Task {
  readonly id: string;
  readonly name: WorkerRequestName;
  readonly abort: AbortController;
  emit(body: unknown): void;
}

type Handlers = {
  readonly [Name in WorkerRequestName]: (
    body: WorkerRequestBody<Name>,
    task: Task,
  ) => Promise<WorkerReplyBody<Name>>;
};

/** These touch sessions and wait for each other; the rest is answered as soon as the loop is free. */
const exclusive: ReadonlySet<WorkerRequestName> = new Set([
  'model.open',
  'drawing.open',
  'calibrate',
  'chat.reply',
  'draw',
]);

/**
 * Answers requests on a port until it is told to stop. Says `ready` first.
 */
export function serveWorker(options: WorkerServerOptions): void {
  new WorkerServer(options).start();
}

class WorkerServer {
  readonly #options: WorkerServerOptions;
  readonly #tasks = new Map<string, Task>();
  readonly #handlers: Handlers;
  #model: ServedModel | null = null;
  /** In place of a model, in a process that only draws. */
  #drawer: ServedDrawer | null = null;
  readonly #asked: AskedDrawings;
  /** The end of the line of exclusive requests. */
  #line: Promise<void> = Promise.resolve();
  #stopping = false;

  constructor(options: WorkerServerOptions) {
    this.#options = options;
    this.#asked = new AskedDrawings((message) => this.#post(message));
    this.#handlers = {
      'model.open': (body, task) => this.#open(body, task),
      'drawing.open': (body, task) => this.#openDrawer(body, task),
      'chat.reply': (body, task) => this.#opened().reply(body, task.emit, task.abort.signal),
      'prompt.shorten': async (body) => this.#opened().shorten(body),
      'prompt.measure': async (body) => this.#opened().measure(body),
      draw: (body, task) =>
        (this.#drawer ?? this.#opened()).draw(body, task.emit, task.abort.signal),
      'models.recognise': async (body) => recogniseModels(body),
      'models.cost': async (body) => costOfImport(body),
      'models.import': (body, task) => importOneModel(body, task.emit, task.abort.signal),
      'models.check': (body, task) => checkOneModel(body, task.abort.signal),
      'models.cuda': async () => (await import('./runtime/index.ts')).cudaFacts(),
      // What it needs is loaded where it is asked for, in a process that is started to say it.
      inspect: async ({ folders, away }) =>
        (await import('./inspect.ts')).inspectEngine(folders, away),
      calibrate: async (body) => (await import('./calibrate.ts')).calibrate(body),
      ping: async () => null,
      memory: async () => ({
        residentBytes: process.memoryUsage().rss,
        sessions: (this.#drawer ?? this.#model)?.sessionCount ?? 0,
      }),
    };
  }

  start(): void {
    const { port } = this.#options;
    port.onMessage((message) => this.#receive(message));
    this.#post({ type: 'ready', pid: process.pid });
  }

  #receive(message: unknown): void {
    const parsed = toWorkerSchema.safeParse(message);
    if (!parsed.success) {
      this.#options.log.error('malformed message', { reason: parsed.error.issues[0]?.message });
      return;
    }
    switch (parsed.data.type) {
      case 'request':
        return this.#request(parsed.data.id, parsed.data.name, parsed.data.body);
      case 'cancel':
        return this.#cancel(parsed.data.id);
      case 'ask-event':
      case 'ask-reply':
      case 'ask-error':
        return this.#asked.receive(parsed.data);
      case 'stop':
        return void this.#stop();
      default:
        return parsed.data satisfies never;
    }
  }

  #request(id: string, name: string, body: unknown): void {
    if (!isRequestName(name)) {
      return this.#fail(
        id,
        new StudioError('unsupported', `The worker knows no request "${name}".`),
      );
    }
    if (this.#tasks.has(id)) {
      return this.#fail(id, new StudioError('bad-input', `Request ${id} is under way already.`));
    }
    const parsed = workerRequests[name].request.safeParse(body);
    if (!parsed.success) {
      const reason = `${name}: ${firstFault(parsed.error)}`;
      return this.#fail(id, new StudioError('bad-input', reason));
    }
    const task: Task = {
      id,
      name,
      abort: new AbortController(),
      emit: (event) => this.#post({ type: 'event', id, body: event }),
    };
    this.#tasks.set(id, task);
    const run = () => this.#run(task, parsed.data);
    if (exclusive.has(name)) this.#line = this.#line.then(run);
    else void run();
  }

  /** Never rejects: whatever is thrown becomes the request's answer. */
  async #run(task: Task, body: unknown): Promise<void> {
    const { id, name } = task;
    const log = withFields(this.#options.log, { request: id, name });
    // Every five seconds, and while a person writes: only one that fails is worth a line.
    const routine = name === 'ping' || name === 'prompt.measure' ? silentLogger : log;
    const startedAt = performance.now();
    routine.info('begin');
    try {
      if (task.abort.signal.aborted) throw new StudioError('cancelled', 'Stopped.');
      // Name and body were checked as a pair, which a table of handlers cannot say.
      // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the line above
      const handler = this.#handlers[name] as (body: unknown, task: Task) => Promise<unknown>;
      const reply = await handler(body, task);
      this.#post({ type: 'reply', id, body: reply });
      routine.info('end', { seconds: secondsSince(startedAt) });
    } catch (thrown) {
      const error = toStudioError(thrown);
      this.#fail(id, error);
      const details = { kind: error.kind, seconds: secondsSince(startedAt) };
      if (error.kind === 'cancelled') log.info('cancelled', details);
      // The stack says where; the message may quote a path, never a conversation.
      else log.error('failed', { ...details, reason: error.message, stack: stackOf(thrown) });
    } finally {
      this.#tasks.delete(id);
    }
  }

  async #open(body: WorkerRequestBody<'model.open'>, task: Task) {
    await this.#release();
    this.#model = await this.#options.openModel(body, task.emit, this.#asked.draw);
    return this.#model.report;
  }

  async #openDrawer(body: WorkerRequestBody<'drawing.open'>, task: Task) {
    await this.#release();
    this.#drawer = await this.#options.openDrawer(body, task.emit);
    return { sparing: this.#drawer.sparing };
  }

  /** What was open goes before another comes, so that two models never share the memory. */
  async #release(): Promise<void> {
    const before = this.#drawer ?? this.#model;
    this.#model = null;
    this.#drawer = null;
    await before?.release();
  }

  #opened(): ServedModel {
    if (this.#model === null) throw new StudioError('not-found', 'No model is open.');
    return this.#model;
  }

  #cancel(id: string): void {
    const task = this.#tasks.get(id);
    this.#options.log.info('cancel', { request: id, known: task !== undefined });
    task?.abort.abort(new StudioError('cancelled', 'Stopped.'));
  }

  async #stop(): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    const { log, port, exit } = this.#options;
    log.info('stop', { requests: this.#tasks.size });
    for (const task of this.#tasks.values()) {
      task.abort.abort(new StudioError('cancelled', 'The worker is being stopped.'));
    }
    await this.#line;
    try {
      await this.#release();
    } catch (error) {
      log.error('release failed', { reason: String(error) });
    }
    port.close();
    exit(0);
  }

  #fail(id: string, error: StudioError): void {
    this.#post({ type: 'error', id, error: toWireError(error) });
  }

  #post(message: FromWorker): void {
    this.#options.port.postMessage(message);
  }
}

function isRequestName(name: string): name is WorkerRequestName {
  return Object.hasOwn(workerRequests, name);
}

function secondsSince(startedAt: number): number {
  return Math.round(performance.now() - startedAt) / 1000;
}

function stackOf(error: unknown): string | null {
  return error instanceof Error ? (error.stack ?? null) : null;
}
