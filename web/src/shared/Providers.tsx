// Everything that a page may use, for entries that load it all at once.
import type { ReactNode } from 'react';
import { BareProviders } from './BareProviders';
import { WithApp } from './WithApp';

export { queryClient } from './BareProviders';

export function Providers({ children }: { children: ReactNode }) {
  return (
    <BareProviders>
      <WithApp>{children}</WithApp>
    </BareProviders>
  );
}
