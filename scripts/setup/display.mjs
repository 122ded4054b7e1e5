// A screen for what needs one: the real one, or Xvfb started for the length of a command.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';

/** True where a window can be opened as things are. */
export function hasDisplay() {
  if (process.platform !== 'linux') return true;
  return (process.env['DISPLAY'] ?? '') !== '' || (process.env['WAYLAND_DISPLAY'] ?? '') !== '';
}

/**
 * Starts Xvfb on a free display number.
 * @param {{ width?: number, height?: number }} [size] pixels
 * @returns {Promise<{ display: string, stop: () => void }>}
 */
export function startVirtualScreen({ width = 1400, height = 1000 } = {}) {
  const program = existsSync('/usr/bin/Xvfb') ? '/usr/bin/Xvfb' : 'Xvfb';
  return new Promise((resolve, reject) => {
    const child = spawn(
      program,
      ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp'],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe'] },
    );
    let errors = '';
    child.stderr?.on('data', (data) => (errors += String(data)));
    let number = '';
    child.stdio[3]?.on('data', (data) => {
      number += String(data);
      if (!number.includes('\n')) return;
      const stop = () => void child.kill('SIGTERM');
      process.on('exit', stop);
      resolve({ display: `:${number.trim()}`, stop });
    });
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`Xvfb ended with code ${code}: ${errors.trim()}`)));
  });
}
