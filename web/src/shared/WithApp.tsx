// Messages, notifications and questions (`App.useApp()`) for the pages below it.
import { App } from 'antd';
import type { ReactNode } from 'react';

export function WithApp({ children }: { children: ReactNode }) {
  return (
    <App component={false} message={{ maxCount: 3 }}>
      {children}
    </App>
  );
}
