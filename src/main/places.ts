import path from 'node:path';
import { mkdir, readdir, stat } from 'node:fs/promises';
import { dialog, nativeImage, shell, type BrowserWindow, type OpenDialogOptions } from 'electron';
import { StudioError } from '../shared/errors.ts';
import type { SavedFiles } from './saved-files.ts';
import type { Places } from './services.ts';

/** Longest side of the picture under the pointer while it is dragged, points. */
const dragIconSide = 128;

/** Dialogs of the window. With a save folder, files go there and come from there, and nobody is asked. */
export function createPlaces(
  window: () => BrowserWindow | null,
  saveFolder: string | null,
  saved: SavedFiles,
): Places {
  return {
    async askWhere(suggested, { name, extension }) {
      if (saveFolder !== null) {
        await mkdir(saveFolder, { recursive: true });
        const file = path.join(saveFolder, suggested);
        saved.note(file);
        return file;
      }
      const defaultPath = saved.suggest(suggested);
      const options = { defaultPath, filters: [{ name, extensions: [extension] }] };
      const owner = window();
      const answer = await (owner === null
        ? dialog.showSaveDialog(options)
        : dialog.showSaveDialog(owner, options));
      if (answer.canceled || answer.filePath === '') return null;
      saved.note(answer.filePath);
      return answer.filePath;
    },
    async askFolder(suggested) {
      if (saveFolder !== null) return path.join(saveFolder, suggested);
      const options = { title: 'A folder is made here', defaultPath: saved.suggest(suggested) };
      const owner = window();
      const answer = await (owner === null
        ? dialog.showSaveDialog(options)
        : dialog.showSaveDialog(owner, options));
      return answer.canceled || answer.filePath === '' ? null : answer.filePath;
    },
    async askWhich(name, extensions) {
      if (saveFolder !== null) return newestIn(saveFolder, extensions);
      const options = {
        properties: ['openFile' as const],
        filters: [{ name, extensions: [...extensions] }],
      };
      const owner = window();
      const answer = await (owner === null
        ? dialog.showOpenDialog(options)
        : dialog.showOpenDialog(owner, options));
      return answer.canceled ? null : (answer.filePaths[0] ?? null);
    },
    showInFolder: (file) => shell.showItemInFolder(file),
    showFile(file) {
      saved.check(file);
      shell.showItemInFolder(file);
    },
    edit: (command) => window()?.webContents[command](),
    async askToOpen(link) {
      const options = {
        type: 'question' as const,
        message: 'Open this link in your browser?',
        detail: link,
        buttons: ['Open', 'Cancel'],
        defaultId: 1,
        cancelId: 1,
      };
      const owner = window();
      const answer = await (owner === null
        ? dialog.showMessageBox(options)
        : dialog.showMessageBox(owner, options));
      return answer.response === 0;
    },
    openInBrowser: (link) => shell.openExternal(link),
    startDrag(file, icon) {
      const picture =
        icon === null ? nativeImage.createEmpty() : nativeImage.createFromBuffer(Buffer.from(icon));
      const { width, height } = picture.getSize();
      const shown =
        Math.max(width, height) > dragIconSide
          ? picture.resize(width > height ? { width: dragIconSide } : { height: dragIconSide })
          : picture;
      window()?.webContents.startDrag({ file, icon: shown });
    },
    async askForData(what) {
      // As with what is saved: a person who named a folder is not asked.
      if (saveFolder !== null && what === 'folder') return saveFolder;
      const options: OpenDialogOptions = {
        properties: [what === 'file' ? 'openFile' : 'openDirectory'],
      };
      const owner = window();
      const answer = await (owner === null
        ? dialog.showOpenDialog(options)
        : dialog.showOpenDialog(owner, options));
      return answer.canceled ? null : (answer.filePaths[0] ?? null);
    },
    async openFolder(folder) {
      const problem = await shell.openPath(folder);
      if (problem !== '') throw new StudioError('unsupported', `${folder}: ${problem}`);
    },
  };
}

/** The file in a folder that was changed last, of those with one of the endings. */
async function newestIn(folder: string, extensions: readonly string[]): Promise<string | null> {
  const names = await readdir(folder);
  const wanted = names.filter((name) => extensions.some((each) => name.endsWith(`.${each}`)));
  const files = wanted.map((name) => path.join(folder, name));
  const times = await Promise.all(files.map(async (file) => (await stat(file)).mtimeMs));
  const newest = times.indexOf(Math.max(...times));
  return files[newest] ?? null;
}
