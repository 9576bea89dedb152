// The numbers and PINs of a batch, which the server gives out exactly once. The file goes from the answer to the
// person's disk; nothing of it is kept in the page.
import { csrfToken } from '@/api/session-state';

/** A million cards may take minutes; the server itself ends an export after nine. */
const LONGEST_MS = 600_000;

/** Throws the problem if it is refused, and an error if the answer breaks off: then it is asked for again. */
export async function exportSecrets(batch: string): Promise<void> {
  const token = csrfToken();
  const response = await fetch(`/v1/batches/${encodeURIComponent(batch)}/export`, {
    method: 'POST',
    credentials: 'same-origin',
    cache: 'no-store',
    headers: token ? { 'X-CSRF-Token': token } : {},
    signal: AbortSignal.timeout(LONGEST_MS),
  });
  if (!response.ok) {
    const text = await response.text();
    throw text.startsWith('{') ? JSON.parse(text) : new Error(`HTTP ${response.status}`);
  }
  const url = URL.createObjectURL(await response.blob());
  const link = document.createElement('a');
  link.href = url;
  link.download = `${batch}.csv`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
