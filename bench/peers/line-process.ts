import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { createInterface } from 'node:readline';

/** A program that is asked in lines of JSON on its standard input and answers so on its standard output. */
export class LineProcess {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #name: string;
  readonly #lines: string[] = [];
  #wake: (() => void) | null = null;
  #ended = false;
  #errors = '';

  constructor(name: string, program: string, args: readonly string[]) {
    this.#name = name;
    this.#child = spawn(program, args);
    this.#child.stderr.on('data', (data: Buffer) => {
      this.#errors = (this.#errors + data.toString()).slice(-2000);
    });
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      this.#lines.push(line);
      this.#wake?.();
    });
    const end = (): void => {
      this.#ended = true;
      this.#wake?.();
    };
    this.#child.on('error', end);
    this.#child.on('close', end);
    // Written to after its end, it would take this process with it.
    this.#child.stdin.on('error', end);
  }

  /** The next line. @throws Error with the program's last words where it ended */
  async next(): Promise<unknown> {
    while (this.#lines.length === 0) {
      if (this.#ended) {
        const words = this.#errors.trim().split('\n').slice(-3).join(' | ');
        throw new Error(`${this.#name} ended: ${words}`);
      }
      await new Promise<void>((resolve) => (this.#wake = resolve));
    }
    return JSON.parse(this.#lines.shift()!) as unknown;
  }

  ask(request: unknown): Promise<unknown> {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return this.next();
  }

  close(): void {
    this.#child.kill('SIGKILL');
  }
}
