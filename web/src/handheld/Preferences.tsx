// Language and theme: the same two choices on both pages.
import { setTheme, useLanguage, useThemeChoice, type Language } from '@/shared/settings';
import { parts, Segments } from './parts';

interface Props {
  labels: { language: string; theme: string; system: string; light: string; dark: string };
  onLanguage: (language: Language) => void;
}

export function Preferences({ labels, onLanguage }: Props) {
  const language = useLanguage();
  const theme = useThemeChoice();
  return (
    <div className={parts.row}>
      <Segments
        label={labels.language}
        value={language}
        options={[
          { value: 'zh', text: '中文' },
          { value: 'en', text: 'English' },
        ]}
        onChange={onLanguage}
      />
      <Segments
        label={labels.theme}
        value={theme}
        options={[
          { value: 'system', text: labels.system },
          { value: 'light', text: labels.light },
          { value: 'dark', text: labels.dark },
        ]}
        onChange={setTheme}
      />
    </div>
  );
}
