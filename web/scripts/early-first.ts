// Readies the wallet's page for a phone with a slow network: it gets first what it can use first.
//
//   - The sign-in form is in the page itself, once for each language, with the words of the language files.
//   - Styles and the script that shows that form come before everything else. A browser has six connections to an
//     HTTP/1.1 server, and takes files up in the order in which the page names them.
//   - What the payment code needs beside is named, so that it can be fetched with the rest and not after it.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vite';

const STYLE = /[ \t]*<link rel="stylesheet"[^>]*>\n?/g;
const preload = (name: string) =>
  new RegExp(`[ \\t]*<link rel="modulepreload"[^>]*href="([^"]*/${name}-[^"]*)"[^>]*>\\n?`);
const EARLY = preload('early');
/** The one file that the early script imports. */
const KEPT = preload('kept');
const ENTRY = /[ \t]*<script type="module"/;
const FORM = /<template id="sign-in">[\s\S]*?<\/template>/;

type Texts = Record<string, string>;

function textsOf(language: string): Texts {
  const file = new URL(`../src/locales/${language}/wallet.json`, import.meta.url);
  return JSON.parse(readFileSync(fileURLToPath(file), 'utf8')) as Texts;
}

/** The form in one language. A word that the language file lacks stops the build. */
function translated(form: string, language: string): string {
  const texts = textsOf(language);
  return form.replace('id="sign-in"', `id="sign-in-${language}"`).replace(/%(\w+)%/g, (_, key) => {
    const text = texts[key as string];
    if (text === undefined) throw new Error(`wallet.html: no text "${key}" in ${language}`);
    return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  });
}

const inBothLanguages = (html: string) =>
  html.replace(FORM, (form) => ['zh', 'en'].map((one) => translated(form, one)).join('\n    '));

interface Chunk {
  fileName: string;
  facadeModuleId?: string | null;
  imports?: string[];
}

/** What the page with the payment code loads beside what every page loads. */
function filesOfPay(bundle: Record<string, Chunk>, html: string): string[] {
  const pay = Object.values(bundle).find((one) => one.facadeModuleId?.endsWith('/wallet/Pay.tsx'));
  if (!pay) throw new Error('the payment code has no file of its own; see codeSplitting');
  return [pay.fileName, ...(pay.imports ?? [])].filter((file) => !html.includes(file));
}

export function earlyFirst(): Plugin {
  return {
    name: 'early-first',
    transformIndexHtml: {
      order: 'post',
      handler(page, { path, bundle }) {
        if (path !== '/wallet.html') return page;
        const html = inBothLanguages(page);
        if (!bundle) return html; // in development nothing is far away
        const early = EARLY.exec(html)?.[1];
        const kept = KEPT.exec(html)?.[0];
        if (!early || !kept) throw new Error('the wallet has no early script; see codeSplitting');
        const styles = (html.match(STYLE) ?? []).join('');
        const pay = filesOfPay(bundle as unknown as Record<string, Chunk>, html);
        const named = `    <meta name="pay-files" content="${pay.map((file) => `/${file}`).join(' ')}">\n`;
        // Run as soon as it is here, and before the first picture: it chooses the theme and the language.
        const script = `    <script type="module" async blocking="render" crossorigin src="${early}"></script>\n`;
        return html
          .replace(STYLE, '')
          .replace(EARLY, '')
          .replace(KEPT, '')
          .replace(ENTRY, (entry) => named + styles + script + kept + entry);
      },
    },
  };
}
