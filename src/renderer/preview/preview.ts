import '../schemas-without-eval.ts';
import '@fontsource-variable/inter/index.css';
import '../styles/tokens.css';
import '../styles/base.css';
import { mount } from 'svelte';
import { createApi } from '../api.ts';
import App from '../App.svelte';
import { createFakeBridge } from '../fake/fake-bridge.ts';
import { createStudio } from '../state/studio.svelte.ts';
import { seedPreview } from './seed.ts';

// The window in a plain browser, on the fake: `npx vite build --config src/renderer/preview/vite.config.ts`.
const query = new URLSearchParams(location.search);
const bridge = createFakeBridge({ pace: Number(query.get('pace') ?? 1) });
await seedPreview(bridge, Number(query.get('turns') ?? 0));
const studio = createStudio(createApi(bridge, { pictureUrl: (hash) => bridge.pictureUrl(hash) }));
Object.assign(window, { preview: { bridge, studio } });
const target = document.getElementById('app');
if (target === null) throw new Error('The page has no element with the id "app".');
mount(App, { target, props: { studio } });
