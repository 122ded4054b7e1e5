// The window on the fake, for a browser: `npx vite --config src/renderer/preview/vite.config.ts`.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';

export default defineConfig({
  root: 'src/renderer/preview',
  base: './',
  plugins: [svelte()],
  build: {
    target: 'chrome130',
    outDir: '../../../.cache/renderer-preview',
    emptyOutDir: true,
  },
});
