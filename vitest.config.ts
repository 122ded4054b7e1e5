// Unit and worker tests. Two projects: what runs in Node, and what needs a page's globals.
import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vitest/config';
import { quietEnvironment } from './src/shared/quiet-environment.ts';

export default defineConfig({
  test: {
    // Native modules (onnxruntime-node, better-sqlite3, sharp) want a process of their own.
    pool: 'forks',
    maxWorkers: 2,
    // ONNX Runtime's telemetry; what proves that the app turns it off takes it out again.
    env: { ...quietEnvironment },
    projects: [
      {
        extends: true,
        test: {
          name: 'node',
          environment: 'node',
          include: ['test/**/*.test.ts'],
          exclude: ['test/renderer/**', 'test/e2e/**', 'test/trainer/**'],
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        extends: true,
        plugins: [svelte({ configFile: false })],
        // Without the browser condition Svelte resolves to its server build, which cannot mount.
        resolve: { conditions: ['browser'] },
        test: {
          name: 'renderer',
          environment: 'happy-dom',
          include: ['test/renderer/**/*.test.ts'],
          testTimeout: 20_000,
        },
      },
    ],
  },
});
