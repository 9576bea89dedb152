// Builds the wallet's service worker: its source with the names of all files that the wallet can load, which are
// known only once everything else is built.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { Plugin } from 'vite';

const SOURCE = fileURLToPath(new URL('../src/wallet/worker.ts', import.meta.url));

interface Chunk {
  type: string;
  fileName: string;
  facadeModuleId?: string | null;
  isEntry?: boolean;
  imports?: string[];
  dynamicImports?: string[];
  viteMetadata?: { importedCss: Set<string>; importedAssets: Set<string> };
}

/** Everything that an entry loads now or later. */
function reachableFiles(bundle: Record<string, Chunk>, entry: Chunk): string[] {
  const files = new Set<string>();
  const open = [entry.fileName];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (files.has(name)) continue;
    files.add(name);
    const chunk = bundle[name];
    chunk?.viteMetadata?.importedCss.forEach((file) => files.add(file));
    chunk?.viteMetadata?.importedAssets.forEach((file) => files.add(file));
    open.push(...(chunk?.imports ?? []), ...(chunk?.dynamicImports ?? []));
  }
  return [...files].map((file) => `/${file}`).sort();
}

function build(files: string[]): string {
  const source = readFileSync(SOURCE, 'utf8');
  const version = createHash('sha256')
    .update(source)
    .update(files.join('\n'))
    .digest('hex')
    .slice(0, 16);
  const options = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.None,
    removeComments: true,
  };
  return ts
    .transpileModule(source, { compilerOptions: options })
    .outputText.replace('__FILES__', JSON.stringify(files))
    .replace('__VERSION__', JSON.stringify(version));
}

export function walletShell(): Plugin {
  return {
    name: 'wallet-shell',
    apply: 'build',
    generateBundle: {
      order: 'post',
      handler(_options, bundle) {
        const chunks = bundle as unknown as Record<string, Chunk>;
        const entry = Object.values(chunks).find(
          (chunk) => chunk.isEntry && chunk.facadeModuleId?.endsWith('/wallet.html'),
        );
        if (!entry) this.error('the wallet has no entry');
        const files = [...reachableFiles(chunks, entry), '/favicon.svg', '/wallet.webmanifest'];
        this.emitFile({ type: 'asset', fileName: 'wallet-worker.js', source: build(files) });
      },
    },
  };
}
