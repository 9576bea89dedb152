// The service worker of the wallet: keeps the page and its files, so that a code can be shown without a network.
// Answers of the API are never kept and never even seen: only what is listed below passes through here.
//
// Built by scripts/wallet-shell.ts, which puts the names of the built files in; it stands alone and imports nothing.

interface Lasting extends Event {
  waitUntil(work: Promise<unknown>): void;
}
interface Fetching extends Lasting {
  request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Worker extends EventTarget {
  skipWaiting(): Promise<void>;
  clients: { claim(): Promise<void> };
}
declare const __FILES__: string[];
declare const __VERSION__: string;

(() => {
  const worker = globalThis as unknown as Worker;
  const page = '/wallet';
  const files = new Set(__FILES__);
  const prefix = 'hexiao-wallet-';
  const name = prefix + __VERSION__;
  const patienceMs = 3_000;

  async function install() {
    const cache = await caches.open(name);
    await cache.addAll([page, ...files]);
    await worker.skipWaiting();
  }

  async function activate() {
    const old = (await caches.keys()).filter((key) => key.startsWith(prefix) && key !== name);
    await Promise.all(old.map((key) => caches.delete(key)));
    await worker.clients.claim();
  }

  const kept = async (path: string) => (await caches.open(name)).match(path);

  /** The page: the server's if it answers in time, because it names the newest files. */
  async function showPage(request: Request): Promise<Response> {
    try {
      const answer = await fetch(request, { signal: AbortSignal.timeout(patienceMs) });
      if (answer.ok) return answer;
      return (await kept(page)) ?? answer;
    } catch {
      return (await kept(page)) ?? Response.error();
    }
  }

  /** A built file never changes under its name. */
  const showFile = async (request: Request, path: string) => (await kept(path)) ?? fetch(request);

  worker.addEventListener('install', (event) => (event as Lasting).waitUntil(install()));
  worker.addEventListener('activate', (event) => (event as Lasting).waitUntil(activate()));
  worker.addEventListener('fetch', (event) => {
    const { request } = event as Fetching;
    const { origin, pathname } = new URL(request.url);
    if (request.method !== 'GET' || origin !== location.origin) return;
    const isPage =
      request.mode === 'navigate' && (pathname === page || pathname.startsWith(`${page}/`));
    if (isPage) (event as Fetching).respondWith(showPage(request));
    else if (files.has(pathname)) (event as Fetching).respondWith(showFile(request, pathname));
  });
})();
