import { BrowserWindow, session } from 'electron';
import { appProtocols } from '../shared/contracts/app-channels.ts';
import { securePreferences } from './security.ts';

const address = `${appProtocols.page}://print/`;

/** Of each page; inches. */
const margins = { top: 0.6, bottom: 0.6, left: 0.6, right: 0.6 } as const;

/**
 * Prints an HTML document as a PDF, A4: in a window that nobody sees, sandboxed and without scripts, in a session of its
 * own that holds nothing but the document.
 */
export async function printPdf(html: string): Promise<Uint8Array> {
  const own = session.fromPartition('print');
  own.protocol.handle(
    appProtocols.page,
    () => new Response(html, { headers: { 'content-type': 'text/html; charset=utf-8' } }),
  );
  const window = new BrowserWindow({
    show: false,
    webPreferences: { ...securePreferences, session: own, javascript: false },
  });
  try {
    await window.loadURL(address);
    return await window.webContents.printToPDF({ pageSize: 'A4', printBackground: true, margins });
  } finally {
    window.destroy();
    own.protocol.unhandle(appProtocols.page);
  }
}
