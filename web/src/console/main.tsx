// Entry of the operator console.
import { StrictMode, Suspense } from 'react';
import { createRoot } from 'react-dom/client';
import { RouterProvider } from 'react-router';
import { startI18n } from '@/shared/i18n';
import { BareProviders } from '@/shared/BareProviders';
import { router } from './app/router';
import { Starting } from './app/Starting';

await startI18n(['common', 'nav', 'errors']);
createRoot(document.getElementById('root')!).render(
  <StrictMode>
    <BareProviders>
      <Suspense fallback={<Starting />}>
        <RouterProvider router={router} />
      </Suspense>
    </BareProviders>
  </StrictMode>,
);
