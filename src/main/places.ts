import path from 'node:path';
import { mkdir, readdir, stat } from 'node:fs/promises';
import {
  dialog,
  nativeImage,
  shell,
  type BrowserWindow,
  type MessageBoxOptions,
  type NativeImage,
  type OpenDialogOptions,
  type SaveDialogOptions,
} from 'electron';
import { StudioError } from '../shared/errors.ts';
import { english, type Voice } from '../shared/texts/voice.ts';
import type { SavedFiles } from './saved-files.ts';
import type { Places } from './services.ts';

/** Longest side of the picture under the pointer while it is dragged, points. */
const dragIconSide = 128;

/** Dialogs that belong to the window, where there is one. */
function dialogsOf(window: () => BrowserWindow | null) {
  return {
    /** Null: nothing was named. */
    async save(options: SaveDialogOptions): Promise<string | null> {
      const owner = window();
      const { canceled, filePath } = await (owner === null
        ? dialog.showSaveDialog(options)
        : dialog.showSaveDialog(owner, options));
      return canceled || filePath === '' ? null : filePath;
    },
    /** Null: nothing was chosen. */
    async open(options: OpenDialogOptions): Promise<string | null> {
      const owner = window();
      const { canceled, filePaths } = await (owner === null
        ? dialog.showOpenDialog(options)
        : dialog.showOpenDialog(owner, options));
      return canceled ? null : (filePaths[0] ?? null);
    },
    /** Which button was pressed. */
    async choose(options: MessageBoxOptions): Promise<number> {
      const owner = window();
      const { response } = await (owner === null
        ? dialog.showMessageBox(options)
        : dialog.showMessageBox(owner, options));
      return response;
    },
  };
}

/** Dialogs of the window. With a save folder, files go there and come from there, and nobody is asked. */
export function createPlaces(
  window: () => BrowserWindow | null,
  saveFolder: string | null,
  saved: SavedFiles,
  voice: Voice = english,
): Places {
  const dialogs = dialogsOf(window);
  return {
    async askWhere(suggested, { name, extension }) {
      const filters = [{ name: voice.said(name), extensions: [extension] }];
      if (saveFolder !== null) await mkdir(saveFolder, { recursive: true });
      const file =
        saveFolder === null
          ? await dialogs.save({ defaultPath: saved.suggest(suggested), filters })
          : path.join(saveFolder, suggested);
      if (file !== null) saved.note(file);
      return file;
    },
    async askFolder(suggested) {
      if (saveFolder !== null) return path.join(saveFolder, suggested);
      const defaultPath = saved.suggest(suggested);
      return dialogs.save({ title: voice.texts().desktop.folderIsMadeHere, defaultPath });
    },
    async askWhich(name, extensions) {
      if (saveFolder !== null) return newestIn(saveFolder, extensions);
      const filters = [{ name: voice.said(name), extensions: [...extensions] }];
      return dialogs.open({ properties: ['openFile'], filters });
    },
    showInFolder: (file) => shell.showItemInFolder(file),
    showFile(file) {
      saved.check(file);
      shell.showItemInFolder(file);
    },
    edit: (command) => window()?.webContents[command](),
    async askToOpen(link) {
      const pressed = await dialogs.choose({
        type: 'question',
        message: voice.texts().desktop.openThisLink,
        detail: link,
        buttons: [voice.texts().desktop.open, voice.texts().desktop.cancel],
        defaultId: 1,
        cancelId: 1,
      });
      return pressed === 0;
    },
    openInBrowser: (link) => shell.openExternal(link),
    startDrag(file, icon) {
      window()?.webContents.startDrag({ file, icon: dragIcon(icon) });
    },
    async askForData(what) {
      // As with what is saved: a person who named a folder is not asked.
      if (saveFolder !== null && what === 'folder') return saveFolder;
      return dialogs.open({ properties: [what === 'file' ? 'openFile' : 'openDirectory'] });
    },
    async openFolder(folder) {
      const problem = await shell.openPath(folder);
      if (problem !== '') throw new StudioError('unsupported', `${folder}: ${problem}`);
    },
  };
}

function dragIcon(bytes: Uint8Array | null): NativeImage {
  if (bytes === null) return nativeImage.createEmpty();
  const picture = nativeImage.createFromBuffer(Buffer.from(bytes));
  const { width, height } = picture.getSize();
  if (Math.max(width, height) <= dragIconSide) return picture;
  return picture.resize(width > height ? { width: dragIconSide } : { height: dragIconSide });
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
