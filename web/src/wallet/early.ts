// What the wallet does while its own script is still on the way: shows the theme, the language and the form to sign
// in with, and asks who is here. On a slow phone that is most of a second before anything else can run, so this
// file imports no library.
import { keptLanguage, keptTheme, readKept } from '@/shared/kept';

const PATIENCE_MS = 15_000;

const page = document.documentElement;
const language = keptLanguage();
const dark = matchMedia('(prefers-color-scheme: dark)').matches;
const theme = keptTheme();
page.dataset.theme = theme === 'dark' || (theme === 'system' && dark) ? 'dark' : 'light';
page.lang = language === 'zh' ? 'zh-CN' : 'en';

/** As `handheld/preference` keeps them: no secrets, only what will be shown. */
export const wasSignedIn = readKept('hexiao.choice.signed_in') === 'yes';
const issuerIsKnown =
  new URLSearchParams(location.search).has('issuer') || readKept('hexiao.choice.issuer') !== null;

const ask = (path: string) =>
  fetch(path, {
    headers: { Accept: 'application/json' },
    credentials: 'same-origin',
    cache: 'no-store',
    signal: AbortSignal.timeout(PATIENCE_MS),
  });

export interface Early {
  session: Promise<Response>;
  /** Not asked for where nobody was signed in: it would be refused. */
  cards: Promise<Response> | undefined;
  askedAt: number;
  answeredAt: Promise<number>;
}

function askWhoIsHere(): Early {
  const askedAt = Date.now();
  const session = ask('/v1/wallet/session');
  const cards = wasSignedIn ? ask('/v1/wallet/cards') : undefined;
  // Whoever takes the answers handles what went wrong; nobody may take these.
  cards?.catch(() => {});
  const answeredAt = session.then(Date.now, Date.now);
  return { session, cards, askedAt, answeredAt };
}

/** What the payment code needs beside, where that is what the page was opened for. */
function fetchPaymentCode() {
  if (!wasSignedIn || !location.pathname.endsWith('/pay')) return;
  const files = document.querySelector<HTMLMetaElement>('meta[name="pay-files"]')?.content;
  for (const href of files?.split(' ') ?? []) {
    const link = Object.assign(document.createElement('link'), { rel: 'modulepreload', href });
    link.crossOrigin = 'anonymous';
    document.head.append(link);
  }
}

let typed = '';
let pressed = false;

/** The number that was typed before `SignIn` was here to take it. */
export const phoneTypedEarly = () => typed;

/** Whether it was also sent; said once. */
export function takeSentEarly(): boolean {
  const sent = pressed;
  pressed = false;
  return sent;
}

function showSignIn() {
  const form = document.querySelector<HTMLTemplateElement>(`#sign-in-${language}`);
  const root = document.querySelector('#root');
  // Scripts that were in the cache may have been here first.
  if (wasSignedIn || !issuerIsKnown || !form || !root || root.hasChildNodes()) return;
  root.replaceChildren(form.content.cloneNode(true));
  root.querySelector('form')?.addEventListener('submit', (event) => {
    event.preventDefault();
    pressed = true;
    // Said at once; the number is sent when the script is here.
    root.querySelector('button')?.setAttribute('disabled', '');
  });
  const phone = root.querySelector('input');
  // Kept as it is typed: the field is gone before its successor is made.
  phone?.addEventListener('input', () => (typed = phone.value));
  phone?.focus();
}

/** Read, but before the page's other scripts run: those wait for nothing else. */
function whenThePageIsRead(work: () => void) {
  if (document.readyState === 'loading')
    document.addEventListener('readystatechange', work, { once: true });
  else work();
}

export const early = askWhoIsHere();
fetchPaymentCode();
whenThePageIsRead(showSignIn);
