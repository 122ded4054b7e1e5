// What `electron FOLDER` runs: stock Electron carries such an app (resources/default_app.asar), the
// fallback's carrier replaced it with its own. Takes on the folder's name, version and path, then runs
// its main file. A module with top-level await: Electron is "ready" only after the app's own code is
// loaded.
import { app } from 'electron';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';

if (process.argv.includes('--version') || process.argv.includes('-v')) {
  process.stdout.write(`v${process.versions.electron}\n`);
  process.exit(0);
}

const named = process.argv.slice(1).find((argument) => !argument.startsWith('-'));
if (named === undefined) {
  process.stderr.write('usage: electron FOLDER [arguments]\n');
  process.exit(2);
}
const folder = path.resolve(named);
const manifest = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
app.setName(manifest.productName ?? manifest.name ?? app.getName());
// Not in Electron's types: its own default app uses them.
const untyped = /** @type {any} */ (app);
if (manifest.version !== undefined) untyped.setVersion(manifest.version);
untyped.setAppPath(folder);
await import(pathToFileURL(path.join(folder, manifest.main ?? 'index.js')).href);
