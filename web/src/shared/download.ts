// Files that the server makes: fetched with the session, then handed to the browser under the name it was given.
import { sessionFetch } from '@/api/client';

function nameOf(response: Response, otherwise: string): string {
  const header = response.headers.get('Content-Disposition') ?? '';
  const encoded = /filename\*=UTF-8''([^;]+)/i.exec(header)?.[1];
  if (encoded) return decodeURIComponent(encoded);
  return /filename="?([^";]+)"?/i.exec(header)?.[1] ?? otherwise;
}

/** Downloads what a request answers. Throws the problem if it is refused. */
export async function download(path: string, otherwise: string, init?: RequestInit): Promise<void> {
  const response = await sessionFetch(new Request(new URL(path, location.origin), init));
  if (!response.ok) {
    const text = await response.text();
    throw text.startsWith('{') ? JSON.parse(text) : new Error(`HTTP ${response.status}`);
  }
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = nameOf(response, otherwise);
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}

/** A path with its query; absent values are left out. */
export function withQuery(path: string, query: Record<string, string | undefined>): string {
  const params = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value) params.set(name, value);
  const text = params.toString();
  return text ? `${path}?${text}` : path;
}
