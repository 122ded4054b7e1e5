import '../../../src/renderer/schemas-without-eval.ts';
import '@fontsource-variable/inter/index.css';
import '../../../src/renderer/styles/tokens.css';
import '../../../src/renderer/styles/base.css';
import '../../../src/renderer/styles/shapes.css';
import { mount } from 'svelte';
import { createApi } from '../../../src/renderer/api.ts';
import App from '../../../src/renderer/App.svelte';
import { createStudio } from '../../../src/renderer/state/studio.svelte.ts';
import type { AppBridge, AppReplyEnvelope } from '../../../src/shared/contracts/app-ipc.ts';
import { pack, unpack, type PreviewMessages } from './wire.ts';

// The window in a browser; what preload would give it comes over the development server's socket. See serve.ts.
const socket = import.meta.hot;
if (socket === undefined) throw new Error('The preview runs on the development server only.');

const waiting = new Map<number, (envelope: AppReplyEnvelope) => void>();
const receivers = new Set<Parameters<AppBridge['onEvent']>[0]>();
let requests = 0;

const bridge: AppBridge = {
  pathOf: () => '',
  platform: /Mac/.test(navigator.userAgent) ? 'darwin' : 'linux',
  language: { chosen: 'system', preferred: navigator.languages },
  request: (name, body) =>
    new Promise((resolve) => {
      requests += 1;
      waiting.set(requests, resolve);
      const request: PreviewMessages['preview:request'] = { id: requests, name, body };
      socket.send('preview:request', pack(request));
    }),
  onEvent(receive) {
    receivers.add(receive);
    return () => receivers.delete(receive);
  },
};

socket.on('preview:reply', (text: string) => {
  const { id, envelope } = unpack(text) as PreviewMessages['preview:reply'];
  waiting.get(id)?.(envelope);
  waiting.delete(id);
});
socket.on('preview:event', (text: string) => {
  const { name, body } = unpack(text) as PreviewMessages['preview:event'];
  for (const receive of receivers) receive(name, body);
});

const studio = createStudio(
  createApi(bridge, {
    pictureUrl: (hash) => `/picture/${hash}`,
    thumbnailUrl: (hash) => `/thumbnail/${hash}`,
  }),
);
const target = document.getElementById('app');
if (target === null) throw new Error('The page has no element with the id "app".');
mount(App, { target, props: { studio } });

// `?say=/two` shows that scene at once, for a picture of it.
const said = new URLSearchParams(location.search).get('say');
if (said !== null) void studio.chat.send([{ kind: 'text', text: said }]);
