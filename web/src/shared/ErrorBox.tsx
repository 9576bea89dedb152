// An error as a person can use it: what happened, what to do, and the id to name when asking for help.
import { Alert, Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { asProblem } from '@/api/problem';

/** The text of an error in the reader's language; the server's English where a code has no text yet. */
export function useErrorText() {
  const { t, i18n } = useTranslation(['errors', 'common']);
  return (error: unknown): { title: string; cure: string; requestId?: string } => {
    const problem = asProblem(error);
    if (!problem) {
      const offline =
        error instanceof TypeError || (error as Error | null)?.name === 'TimeoutError';
      return offline
        ? { title: t('common:error.network'), cure: t('common:error.network_cure') }
        : { title: t('common:error.page'), cure: t('common:error.page_cure') };
    }
    const known = i18n.exists(`errors:${problem.code}.title`);
    const where = problem.pointer ?? problem.parameter;
    const place = where ? ` (${where})` : '';
    return {
      title: known ? t(`errors:${problem.code}.title`) : problem.title,
      cure: (known ? t(`errors:${problem.code}.cure`) : problem.detail) + place,
      requestId: problem.request_id,
    };
  };
}

export function ErrorBox({ error, onRetry }: { error: unknown; onRetry?: () => void }) {
  const { t } = useTranslation();
  const text = useErrorText()(error);
  const problem = asProblem(error);
  return (
    <Alert
      type="error"
      showIcon
      role="alert"
      className="error-box"
      title={text.title}
      description={
        <>
          <p>{text.cure}</p>
          {problem && (
            <details>
              <summary>{t('error.details')}</summary>
              <p className="error-detail">
                <code>{problem.code}</code> · {problem.detail}
              </p>
              <p>
                {t('error.request_id')}: <code>{text.requestId}</code>
              </p>
            </details>
          )}
        </>
      }
      action={
        onRetry && (
          <Button size="small" onClick={onRetry}>
            {t('action.retry')}
          </Button>
        )
      }
    />
  );
}
