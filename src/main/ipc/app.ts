import { StudioError } from '../../shared/errors.ts';
import type { AppServices } from '../services.ts';
import type { DomainHandlers } from './handlers.ts';

/** Requests about the app itself. */
export function appHandlers({ info, places, licences }: AppServices): DomainHandlers<'app'> {
  return {
    'app.info': () => info,
    'app.licences': () => ({ packages: [...licences()] }),
    async 'app.openLogFolder'() {
      await places.openFolder(info.logFolder);
      return null;
    },
    'app.showFile'({ path }) {
      places.showFile(path);
      return null;
    },
    'app.edit'({ command }) {
      places.edit(command);
      return null;
    },
    async 'app.openLink'({ url }) {
      const link = readLink(url);
      if (await places.askToOpen(link)) await places.openInBrowser(link);
      return null;
    },
  };
}

/** Lets only web addresses through: another scheme would start some program with what a model wrote. */
function readLink(text: string): string {
  let url: URL;
  try {
    url = new URL(text);
  } catch (error) {
    throw new StudioError('bad-input', `${text.slice(0, 200)} is not a link.`, { cause: error });
  }
  if (url.protocol !== 'https:' && url.protocol !== 'http:') {
    throw new StudioError('bad-input', `Only http and https links are opened, not ${url.protocol}`);
  }
  return url.href;
}
