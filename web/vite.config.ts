// Three entries: the console (/), the till (/till) and the wallet (/wallet). Below each, the page's own
// router decides, so every path that is not a file falls back to the entry's html, here as in the server.
//
// They are built in two goes into one folder: the console with React, which Ant Design needs; till and wallet
// (`--mode handheld`) with Preact in its place, which is a quarter of it, and a phone has to fetch and to read it.
// They are written for React, and in development served with it.
import { fileURLToPath } from 'node:url';
import react from '@vitejs/plugin-react';
import type { Plugin } from 'vite';
import { defineConfig, type ViteUserConfig } from 'vitest/config';
import { earlyFirst } from './scripts/early-first.ts';
import { walletShell } from './scripts/wallet-shell.ts';

const server = process.env.HEXIAO_URL ?? 'http://127.0.0.1:8080';
const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** In development, `/till/...` and `/wallet/...` are answered by their own html. */
function entries(): Plugin {
  return {
    name: 'entries',
    configureServer(vite) {
      vite.middlewares.use((request, _response, next) => {
        const entry = /^\/(till|wallet)(\/[^.]*)?(\?|$)/.exec(request.url ?? '')?.[1];
        if (entry) request.url = `/${entry}.html`;
        next();
      });
    },
  };
}

const PREACT = {
  'react/jsx-runtime': 'preact/jsx-runtime',
  'react-dom/client': 'preact/compat/client',
  'react-dom': 'preact/compat',
  react: 'preact/compat',
};

const CONSOLE = { index: here('./index.html') };
const HANDHELD = { till: here('./till.html'), wallet: here('./wallet.html') };

const config = (handheld: boolean, building: boolean): ViteUserConfig => ({
  plugins: [react(), entries(), earlyFirst(), ...(handheld ? [walletShell()] : [])],
  resolve: { alias: { '@': here('./src'), ...(handheld ? PREACT : {}) } },
  // Names that a page can be written with before its scripts are there: `wallet-door`, `parts-button`.
  css: {
    modules: {
      generateScopedName: (name, file) => `${/([^/]*)\.module\.css/.exec(file)?.[1]}-${name}`,
    },
  },
  build: {
    target: 'es2022',
    // Nothing is inlined as a data: URL, and no source map is shipped: both would only cost bytes.
    assetsInlineLimit: 0,
    manifest: handheld ? '.vite/handheld.json' : true,
    // The console's go is the first.
    emptyOutDir: !handheld,
    copyPublicDir: !handheld,
    // Browsers that know no modulepreload load the same files, only later.
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // What always loads together is one file: on a phone each further one costs a round trip.
      output: {
        codeSplitting: {
          groups: [
            // Apart: the till and the console read what is kept, and must not do what the wallet does early.
            { name: 'kept', test: /src\/shared\/kept\.ts$/ },
            { name: 'early', test: /src\/wallet\/early\.ts$/ },
            { name: 'react', test: /node_modules\/(react|react-dom|scheduler|preact)\// },
            {
              name: 'base',
              test: /(src\/(shared\/(settings|money|time)|api\/(session-state|idempotency))\.ts|vite\/preload-helper\.js)$/,
            },
            { name: 'handheld', test: /src\/handheld\/(?!Qr)[^/]*$/ },
            {
              name: 'wallet',
              test: /src\/(wallet\/(App|SignIn|Home|Frame|CardFace|context|action|api|devices|payment-code|route|words)|locales\/..\/wallet)/,
            },
          ],
        },
      },
      input: building ? (handheld ? HANDHELD : CONSOLE) : { ...CONSOLE, ...HANDHELD },
    },
  },
  server: {
    host: '127.0.0.1',
    proxy: {
      '/v1': { target: server },
      '/healthz': { target: server },
      '/openapi.json': { target: server },
      '/docs': { target: server },
    },
  },
  test: {
    include: ['src/**/*.test.{ts,tsx}'],
    environment: 'node',
  },
});

export default defineConfig(({ command, mode }) =>
  config(mode === 'handheld', command === 'build'),
);
