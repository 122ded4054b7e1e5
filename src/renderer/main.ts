import './schemas-without-eval.ts';
import '@fontsource-variable/inter/index.css';
import './styles/tokens.css';
import './styles/base.css';
import './styles/shapes.css';
import { mount } from 'svelte';
import { createApi } from './api.ts';
import App from './App.svelte';
import { createStudio } from './state/studio.svelte.ts';

const target = document.getElementById('app');
if (target === null) throw new Error('The page has no element with the id "app".');
mount(App, { target, props: { studio: createStudio(createApi(window.api)) } });
