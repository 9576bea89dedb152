// The frame of pages without a session: one narrow column.
import type { ReactNode } from 'react';
import { LanguageSwitch, ThemeSwitch } from '@/shared/Switches';

export function Alone({ title, children }: { title: string; children: ReactNode }) {
  return (
    <div className="alone">
      <header className="alone-top">
        <span className="brand">
          <img src="/favicon.svg" alt="" width="24" height="24" />
          <span className="brand-name">Hexiao 核销</span>
        </span>
        <div className="top-tools">
          <LanguageSwitch />
          <ThemeSwitch />
        </div>
      </header>
      <main className="alone-main">
        <h1>{title}</h1>
        {children}
      </main>
    </div>
  );
}
