import { homedir } from 'node:os';
import path from 'node:path';

/** Where Electron keeps the app's data (app.getPath('userData') of TextBind Studio). */
export function userDataFolder(): string {
  const name = 'TextBind Studio';
  switch (process.platform) {
    case 'darwin':
      return path.join(homedir(), 'Library', 'Application Support', name);
    case 'win32':
      return path.join(process.env['APPDATA'] ?? path.join(homedir(), 'AppData', 'Roaming'), name);
    default:
      return path.join(process.env['XDG_CONFIG_HOME'] ?? path.join(homedir(), '.config'), name);
  }
}
