// What stands against the rules, with the article of law where there is one, before anything is saved.
import { Alert, Button, Spin } from 'antd';
import { useTranslation } from 'react-i18next';
import { ErrorBox } from '@/shared/ErrorBox';
import { LawSource } from '@/shared/LawSource';
import { fieldOf, type Check, type Finding } from './check';
import { useFindingText } from './finding-text';

interface Props {
  /** Undefined while something is missing that rules cannot do without. */
  complete: boolean;
  check: { data?: Check; error: unknown; isFetching: boolean; refetch: () => unknown };
  onGo: (field: string[]) => void;
}

function Article({ finding }: { finding: Finding }) {
  const rule = finding.policy_rule;
  if (!rule) return null;
  return (
    <p className="finding-source">
      <LawSource rule={rule} /> · <code>{rule.pack}</code> {rule.version}
    </p>
  );
}

export function Findings({ complete, check, onGo }: Props) {
  const { t } = useTranslation('programs');
  const textOf = useFindingText();
  if (!complete) return <p className="quiet">{t('incomplete')}</p>;
  if (check.error) return <ErrorBox error={check.error} onRetry={() => void check.refetch()} />;
  if (!check.data) return <Spin aria-label={t('checking')} />;
  const { findings } = check.data;
  if (findings.length === 0) return <Alert type="success" showIcon title={t('nothing_missing')} />;
  return (
    <Alert
      type="warning"
      showIcon
      title={t('found', { count: findings.length })}
      description={
        <ul className="findings">
          {findings.map((finding) => (
            <li key={`${finding.code}${finding.pointer ?? ''}`}>
              <p>{textOf(finding)}</p>
              <Article finding={finding} />
              {finding.pointer && (
                <Button type="link" size="small" onClick={() => onGo(fieldOf(finding.pointer))}>
                  {t('go_to_field')}
                </Button>
              )}
            </li>
          ))}
        </ul>
      }
    />
  );
}
