// Addresses of the console: log-in and invitation are public, everything else is below the session gate.
import { createBrowserRouter, Navigate } from 'react-router';
import { Layout } from '../layout/Layout';
import { sectionRoutes } from '../routes';
import { Crashed } from './Crashed';
import { NotFound } from './NotFound';
import { SessionGate } from './SessionGate';
import { Starting } from './Starting';

export const router = createBrowserRouter([
  {
    hydrateFallbackElement: <Starting />,
    errorElement: <Crashed />,
    children: [
      { path: '/login', lazy: () => import('../login/LoginPage') },
      { path: '/invitation', lazy: () => import('../login/InvitationPage') },
      {
        path: '/',
        element: (
          <SessionGate>
            <Layout />
          </SessionGate>
        ),
        children: [
          {
            errorElement: <Crashed />,
            children: [
              { index: true, element: <Navigate to="/dashboard" replace /> },
              ...sectionRoutes,
              { path: '*', element: <NotFound /> },
            ],
          },
        ],
      },
    ],
  },
]);
