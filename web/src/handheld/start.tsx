// Starts a light page: theme, texts, and a last resort if rendering fails.
import { Component, StrictMode, useEffect, type ReactNode } from 'react';
import { flushSync } from 'react-dom';
import { createRoot } from 'react-dom/client';
import { useIsDark } from '@/shared/settings';
import { Button, Notice, parts } from './parts';
import './tokens.css';

function Theme({ children }: { children: ReactNode }) {
  const dark = useIsDark();
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  }, [dark]);
  return children;
}

/** Both languages, because the texts may be what failed. */
class LastResort extends Component<{ children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError() {
    return { failed: true };
  }
  override render() {
    if (!this.state.failed) return this.props.children;
    return (
      <main className={parts.stack} style={{ padding: 16 }}>
        <Notice tone="bad" title="页面出错了 · This page failed">
          重新加载即可继续 · Reload to go on
        </Notice>
        <Button look="primary" onClick={() => location.reload()}>
          重新加载 · Reload
        </Button>
      </main>
    );
  }
}

export function start(nameLanguage: () => void, page: ReactNode) {
  nameLanguage();
  const root = createRoot(document.getElementById('root')!);
  // At once: what stands there already may be typed into, and must not change between being read and replaced.
  flushSync(() =>
    root.render(
      <StrictMode>
        <LastResort>
          <Theme>{page}</Theme>
        </LastResort>
      </StrictMode>,
    ),
  );
}
