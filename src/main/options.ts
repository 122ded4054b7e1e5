import path from 'node:path';

/** What the command line asks for. Paths are absolute. */
export interface AppOptions {
  /** The data folder; null: the system's place for it. */
  readonly userDataFolder: string | null;
  /** The scripted conversation, and where its results go. */
  readonly demo: { readonly out: string } | null;
  /** Exports and saved pictures go there, and nobody is asked. */
  readonly saveFolder: string | null;
  readonly modelsFolder: string | null;
}

/** Reads the app's own switches; what belongs to Chromium or to nobody is left alone. */
export function readOptions(args: readonly string[], workingFolder: string): AppOptions {
  const folder = (name: string): string | null => {
    const given = args.find((argument) => argument.startsWith(`--${name}=`));
    const value = given?.slice(name.length + 3) ?? '';
    return value === '' ? null : path.resolve(workingFolder, value);
  };
  const demo = args.includes('--demo')
    ? { out: folder('out') ?? path.resolve(workingFolder, 'demo-out') }
    : null;
  return {
    userDataFolder: folder('user-data-dir'),
    demo,
    saveFolder: folder('save-folder') ?? demo?.out ?? null,
    modelsFolder: folder('models-folder'),
  };
}
