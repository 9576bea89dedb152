// Saves what the filters find as CSV, with how far it is and a way to stop.
import { DownloadOutlined } from '@ant-design/icons';
import { App, Button } from 'antd';
import { useEffect, useRef, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { useErrorText } from '@/shared/ErrorBox';
import { useFormat } from '@/shared/format';
import { dayOf } from '@/shared/time';
import { saveCsv } from './csv';
import { collect } from './export';
import type { OperationFilters } from './query';

export function ExportButton({ filters }: { filters: OperationFilters }) {
  const { t } = useTranslation('operations');
  const { message } = App.useApp();
  const errorText = useErrorText();
  const { count, timeZone } = useFormat();
  const [rows, setRows] = useState<number>();
  const running = useRef<AbortController | undefined>(undefined);
  useEffect(() => () => running.current?.abort(), []);

  const start = async () => {
    const controller = new AbortController();
    running.current = controller;
    setRows(0);
    try {
      const found = await collect(filters, timeZone, setRows, controller.signal);
      saveCsv(`operations-${dayOf(new Date(), timeZone)}.csv`, found.parts);
      if (found.cut) void message.warning(t('export_cut', { rows: count(found.rows) }), 10);
      else void message.success(t('export_done', { rows: count(found.rows) }));
    } catch (error) {
      if (!controller.signal.aborted) {
        const { title, cure } = errorText(error);
        void message.error(`${title}. ${cure}`, 10);
      }
    } finally {
      setRows(undefined);
    }
  };

  if (rows === undefined) {
    return (
      <Button icon={<DownloadOutlined />} onClick={() => void start()}>
        {t('export')}
      </Button>
    );
  }
  return (
    <Button danger onClick={() => running.current?.abort()}>
      {t('export_stop', { rows: count(rows) })}
    </Button>
  );
}
