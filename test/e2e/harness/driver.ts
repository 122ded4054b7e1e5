// The WebDriver: Debian's chromedriver, told not to insist on Chromium's exact version.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, openSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '../../..');

/** A port that was free a moment ago. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.on('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      const port = typeof address === 'object' && address !== null ? address.port : 0;
      server.close(() => resolve(port));
    });
  });
}

async function answers(port: number): Promise<boolean> {
  try {
    return (await fetch(`http://127.0.0.1:${port}/status`)).ok;
  } catch {
    return false;
  }
}

/**
 * Starts the driver in the launcher; in its worker processes, which load the configuration again, it
 * gives the port of the one that runs.
 * @throws where no chromedriver is found or it does not answer within 20 s
 */
export async function startDriver(): Promise<{ port: number; stop: () => void }> {
  const inherited = process.env['TEXTBIND_E2E_PORT'];
  if (inherited !== undefined) return { port: Number(inherited), stop: () => undefined };
  const port = await freePort();
  const program = existsSync('/usr/bin/chromedriver') ? '/usr/bin/chromedriver' : 'chromedriver';
  mkdirSync(path.join(root, '.cache/e2e'), { recursive: true });
  const log = openSync(path.join(root, '.cache/e2e/chromedriver.log'), 'w');
  const child = spawn(program, [`--port=${port}`, '--disable-build-check'], {
    stdio: ['ignore', log, log],
  });
  child.on('error', (error) => console.error(`chromedriver: ${error.message}`));
  process.on('exit', () => child.kill());
  process.env['TEXTBIND_E2E_PORT'] = String(port);
  for (let waitedMs = 0; waitedMs < 20_000; waitedMs += 100) {
    if (await answers(port)) return { port, stop: () => void child.kill() };
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  child.kill();
  throw new Error('chromedriver did not answer within 20 s (see .cache/e2e/chromedriver.log)');
}
