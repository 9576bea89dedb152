// The frame of the console: skip link, menu (a drawer on narrow screens), top bar, and the page.
import { MenuOutlined } from '@ant-design/icons';
import { Button, Skeleton } from 'antd';
import { lazy, Suspense, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, Outlet, ScrollRestoration, useNavigation } from 'react-router';
import { useDrawerMenu } from '@/shared/narrow';
import { useSession } from '@/shared/session';
import { LanguageSwitch, ThemeSwitch } from '@/shared/Switches';
import { MainMenu } from './MainMenu';
import { Search } from './Search';
import { UserMenu } from './UserMenu';

const MenuDrawer = lazy(() => import('./MenuDrawer'));

export function Layout() {
  const { t } = useTranslation();
  const drawer = useDrawerMenu();
  const [open, setOpen] = useState(false);
  const [opened, setOpened] = useState(false);
  const main = useRef<HTMLElement>(null);
  const { state } = useNavigation();
  return (
    <div className="shell">
      <a
        className="skip-link"
        href="#main"
        onClick={(event) => {
          event.preventDefault();
          main.current?.focus();
        }}
      >
        {t('skip_to_content')}
      </a>
      <header className="top">
        {drawer && (
          <Button
            type="text"
            icon={<MenuOutlined />}
            aria-label={t('menu')}
            aria-expanded={open}
            onClick={() => {
              setOpened(true);
              setOpen(true);
            }}
          />
        )}
        <Brand />
        <Search />
        <div className="top-tools">
          <LanguageSwitch />
          <ThemeSwitch />
          <UserMenu />
        </div>
      </header>
      {drawer ? (
        opened && (
          <Suspense>
            <MenuDrawer open={open} onClose={() => setOpen(false)} />
          </Suspense>
        )
      ) : (
        <nav className="side" aria-label={t('menu')}>
          <MainMenu />
        </nav>
      )}
      <main id="main" ref={main} tabIndex={-1} aria-busy={state === 'loading'}>
        {state === 'loading' && <div className="loading-bar" />}
        <Suspense fallback={<Skeleton active paragraph={{ rows: 8 }} />}>
          <Outlet />
        </Suspense>
      </main>
      <ScrollRestoration />
    </div>
  );
}

function Brand() {
  const { t } = useTranslation();
  const session = useSession();
  const whose = session.merchant?.name ?? session.issuer?.name ?? t('platform');
  return (
    <Link to="/dashboard" className="brand" aria-label={t('home', { name: whose })}>
      <img src="/favicon.svg" alt="" width="24" height="24" />
      <span className="brand-name">{whose}</span>
      {session.demo && (
        <span className="demo" title={t('demo_hint')}>
          {t('demo')}
        </span>
      )}
    </Link>
  );
}
