// Language and theme.
import { BgColorsOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { changeLanguage } from './i18n';
import { MenuButton } from './MenuButton';
import { setTheme, useLanguage, useThemeChoice, type ThemeChoice } from './settings';

/** Names the other language in that language, as its readers look for it. */
export function LanguageSwitch() {
  const language = useLanguage();
  const other = language === 'zh' ? 'en' : 'zh';
  return (
    <Button
      type="text"
      aria-label={other === 'zh' ? '中文' : 'English'}
      lang={other === 'zh' ? 'zh-CN' : 'en'}
      onClick={() => void changeLanguage(other)}
    >
      <span className="wide-only">{other === 'zh' ? '中文' : 'English'}</span>
      <span className="narrow-only" aria-hidden="true">
        {other === 'zh' ? '中' : 'EN'}
      </span>
    </Button>
  );
}

const CHOICES: ThemeChoice[] = ['system', 'light', 'dark'];

export function ThemeSwitch() {
  const { t } = useTranslation();
  const choice = useThemeChoice();
  return (
    <MenuButton
      icon={<BgColorsOutlined />}
      label={t('theme.label')}
      items={CHOICES.map((key) => ({
        key,
        label: t(`theme.${key}`),
        checked: key === choice,
        onSelect: () => setTheme(key),
      }))}
    />
  );
}
