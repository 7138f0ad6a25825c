import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

/**
 * Writes `sw.js` with the names of this build's own files. The worker caches these and nothing else: no answer of the
 * agent ever reaches a cache.
 */
function serviceWorker(): Plugin {
  return {
    name: 'mosaic-service-worker',
    apply: 'build',
    generateBundle(_, bundle) {
      const built = Object.keys(bundle).filter((name) => name.startsWith('assets/')).sort();
      const assets = ['/', '/manifest.webmanifest', '/icon.svg', ...built.map((name) => `/${name}`)];
      const source = readFileSync(here('src/sw.js'), 'utf8').replace('/* ASSETS */ []', JSON.stringify(assets));
      this.emitFile({ type: 'asset', fileName: 'sw.js', source });
    },
  };
}

export default defineConfig({
  plugins: [react(), serviceWorker()],
  // everything is a file of its own: the policy knows neither data: nor inline code
  build: {
    target: 'es2022',
    cssTarget: ['chrome123', 'firefox120', 'safari17.5'],
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: { app: here('index.html'), dashboard: here('dashboard.html') } },
  },
});
