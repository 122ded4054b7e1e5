// Apart from app-ipc.ts, so that preload need not carry the schema library.

/** The one ipcMain channel for requests, and the one for events. */
export const appChannels = { request: 'textbind:request', event: 'textbind:event' } as const;

/** Where pictures and the page are served from. */
export const appProtocols = { page: 'textbind-app', picture: 'textbind-picture' } as const;
