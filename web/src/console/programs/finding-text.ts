// A finding in the reader's language: the text of the broken rule, or what contradicts itself.
import { useTranslation } from 'react-i18next';
import { ruleKey, type Finding } from './check';

export function useFindingText() {
  const { t, i18n } = useTranslation('programs');
  return (finding: Finding): string => {
    if (finding.text) return i18n.language === 'zh' ? finding.text.zh : finding.text.en;
    const packs = `pack_problem.${finding.code}`;
    if (i18n.exists(`programs:${packs}`)) return t(packs);
    const contradiction = `contradiction.${ruleKey(finding.pointer)}`;
    return i18n.exists(`programs:${contradiction}`) ? t(contradiction) : finding.detail;
  };
}
