// The authenticator app: set up, or taken away to set up another.
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { App, Button, Popconfirm } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { client, unwrap } from '@/api/client';
import { ErrorBox } from '@/shared/ErrorBox';
import { useSession } from '@/shared/session';
import { sessionQuery } from '../app/session-query';
import { Enrolment } from '../login/Enrolment';

export function Totp() {
  const { t } = useTranslation('profile');
  const { message } = App.useApp();
  const queries = useQueryClient();
  const { second_factors } = useSession();
  const [enrolling, setEnrolling] = useState(false);
  const reload = () => queries.invalidateQueries({ queryKey: sessionQuery.queryKey });
  const remove = useMutation({
    mutationFn: () => unwrap(client.DELETE('/v1/me/totp')),
    onSuccess: async () => {
      void message.success(t('totp_removed'));
      await reload();
    },
  });
  const done = () => {
    setEnrolling(false);
    void message.success(t('totp_done'));
    void reload();
  };
  if (enrolling) return <Enrolment onDone={done} />;
  const isOn = second_factors.includes('totp');
  return (
    <>
      {remove.error && <ErrorBox error={remove.error} />}
      <p className="lead">{isOn ? t('totp_on') : t('totp_hint')}</p>
      {isOn ? (
        <Popconfirm title={t('totp_remove_sure')} onConfirm={() => remove.mutate()}>
          <Button loading={remove.isPending}>{t('totp_remove')}</Button>
        </Popconfirm>
      ) : (
        <Button onClick={() => setEnrolling(true)}>{t('totp_begin')}</Button>
      )}
    </>
  );
}
