// What every entry wraps its pages in: data, theme, language of the components, and the nonce for styles. It does
// not bring messages and dialogs (`App.useApp`): `WithApp` does, and the console loads that after its first page.
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { ConfigProvider } from 'antd';
import enUS from 'antd/locale/en_US';
import zhCN from 'antd/locale/zh_CN';
import dayjs from 'dayjs';
import 'dayjs/locale/zh-cn';
import { useEffect, type ReactNode } from 'react';
import { isTransient } from '@/api/problem';
import { useIsDark, useLanguage } from './settings';
import { nonce } from './style-nonce';
import { themeConfig } from './theme';
import './shell.css';
import './figures.css';

export const queryClient = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 10_000,
      retry: (failures, error) => failures < 2 && isTransient(error),
    },
    mutations: { retry: false },
  },
});

const reducedMotion = matchMedia('(prefers-reduced-motion: reduce)').matches;

export function BareProviders({ children }: { children: ReactNode }) {
  const dark = useIsDark();
  const language = useLanguage();
  const config = themeConfig(dark);
  const tokens = dark ? 'tokens-dark' : 'tokens-light';
  useEffect(() => {
    document.documentElement.dataset.theme = dark ? 'dark' : 'light';
  }, [dark]);
  useEffect(() => {
    dayjs.locale(language === 'zh' ? 'zh-cn' : 'en');
  }, [language]);
  return (
    <QueryClientProvider client={queryClient}>
      <ConfigProvider
        csp={nonce ? { nonce } : undefined}
        locale={language === 'zh' ? zhCN : enUS}
        theme={{
          ...config,
          token: { ...config.token, motion: !reducedMotion },
          cssVar: { key: tokens },
        }}
        button={{ autoInsertSpace: false }}
      >
        {/* The class gives the style sheets of the console antd's tokens as variables. */}
        <div className={`app ${tokens}`}>{children}</div>
      </ConfigProvider>
    </QueryClientProvider>
  );
}
