// Where a rule is written: the law and, where it is known, the article.
import { useTranslation } from 'react-i18next';
import { titleOfLaw } from './law';

interface Props {
  rule: { source: string; article?: string | null };
}

export function LawSource({ rule }: Props) {
  const { t, i18n } = useTranslation('common');
  const title = titleOfLaw(rule.source, i18n.language);
  return (
    <>
      {title}
      {rule.article && ` · ${t('article', { article: rule.article })}`}
    </>
  );
}
