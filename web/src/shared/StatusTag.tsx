// A state in a word and a shape: the dot's form differs too, so that colour is never the only sign.
import type { ReactNode } from 'react';

export type Tone = 'good' | 'bad' | 'waiting' | 'neutral';

export function StatusTag({ tone, children }: { tone: Tone; children: ReactNode }) {
  return <span className={`status status-${tone}`}>{children}</span>;
}
