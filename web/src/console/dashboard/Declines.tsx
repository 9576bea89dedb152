// Why sales were declined today, the most frequent reason first: a table whose figures have a bar beside them.
import { useTranslation } from 'react-i18next';
import { useFormat } from '@/shared/format';
import { Panel } from '@/shared/page';
import { useIsDark } from '@/shared/settings';
import { chartColours } from '@/shared/theme';
import type { Dashboard } from './read';

const SHOWN = 8;

export function Declines({ declines }: { declines: Dashboard['declined'] }) {
  const { t, i18n } = useTranslation(['dashboard', 'declines']);
  const { count } = useFormat();
  const shown = declines.slice(0, SHOWN);
  const colour = chartColours[useIsDark() ? 'dark' : 'light'].bad;
  const most = Math.max(1, ...shown.map((entry) => entry.count));
  return (
    <Panel title={t('declined')}>
      {shown.length === 0 ? (
        <p className="quiet">{t('declined_none')}</p>
      ) : (
        <table className="bars">
          <caption className="visually-hidden">{t('declined_label')}</caption>
          <thead className="visually-hidden">
            <tr>
              <th scope="col">{t('reason')}</th>
              <th scope="col">{t('times')}</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((entry) => (
              <tr key={entry.code}>
                <th scope="row">
                  {i18n.exists(`declines:${entry.code}`) ? t(`declines:${entry.code}`) : entry.code}
                </th>
                <td>
                  <div className="bar">
                    <div>
                      <div
                        style={{ width: `${(100 * entry.count) / most}%`, background: colour }}
                      />
                    </div>
                    {count(entry.count)}
                  </div>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </Panel>
  );
}
