import path from 'node:path';
import type { CommandLine } from 'electron';
import { readJson } from '../base/json-file.ts';

/** Switches by which another program would read and steer the window. */
const switches = ['remote-debugging-port', 'remote-debugging-pipe', 'remote-debugging-address'];

/**
 * Takes remote debugging off the command line, before Chromium looks for it there, and says so. The build that tests
 * drive has leave in its manifest, which lies in the app's archive with the code.
 * @param appFolder where the app's package.json is
 */
export function refuseRemoteDebugging(commandLine: CommandLine, appFolder: string): void {
  const given = switches.filter((name) => commandLine.hasSwitch(name));
  if (given.length === 0 || allowsRemoteDebugging(appFolder)) return;
  for (const name of given) commandLine.removeSwitch(name);
  process.stderr.write(
    `--${given.join(', --')}: an installed TextBind Studio cannot be debugged from outside. ` +
      'Use a checkout: npm start.\n',
  );
}

function allowsRemoteDebugging(appFolder: string): boolean {
  const manifest = readJson(path.join(appFolder, 'package.json'), 'internal');
  return Reflect.get(Object(manifest), 'allowsRemoteDebugging') === true;
}
