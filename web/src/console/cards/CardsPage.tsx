// Finding a card: by its number, which travels in a request's body only and is forgotten at once, or by its id.
import { Button, Form, Input, InputNumber } from 'antd';
import { useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { client, unwrap } from '@/api/client';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { ErrorBox } from '@/shared/ErrorBox';
import { useCursorList } from '@/shared/cursor-list';
import { Money, Moment } from '@/shared/format';
import { EmptyState, Page, Panel } from '@/shared/page';
import { useCan } from '@/shared/session';
import { Named } from '../catalog/Named';
import type { Card } from './actions';
import { readCardName } from './card-name';
import { CardStateTag } from './CardStateTag';
import { SellCard } from './SellCard';
import './cards.css';

interface Values {
  card: string;
  pin?: string;
}

/** The id of the card that was typed; a number is looked up. */
async function find({ card, pin }: Values): Promise<string> {
  const name = readCardName(card);
  if (!name) throw new Error('checked by the form');
  if ('id' in name) return name.id;
  const body = pin ? { number: name.number, pin } : { number: name.number };
  return (await unwrap(client.POST('/v1/cards/lookup', { body }))).id;
}

function Find() {
  const { t } = useTranslation(['cards', 'common']);
  const navigate = useNavigate();
  const [form] = Form.useForm<Values>();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const search = async (values: Values) => {
    setBusy(true);
    setError(undefined);
    try {
      const id = await find(values);
      form.resetFields();
      await navigate(`/cards/${id}`);
    } catch (failure) {
      setError(failure);
    } finally {
      setBusy(false);
    }
  };
  const pattern = {
    validator: (_: unknown, text?: string) =>
      text && readCardName(text) ? Promise.resolve() : Promise.reject(new Error(t('card_pattern'))),
  };
  return (
    <Panel title={t('find')}>
      <Form<Values>
        form={form}
        layout="vertical"
        className="find"
        onFinish={(values) => void search(values)}
        validateTrigger="onSubmit"
        autoComplete="off"
      >
        <Form.Item name="card" label={t('number_or_id')} rules={[pattern]} className="grow">
          <Input
            autoFocus
            allowClear
            autoComplete="off"
            spellCheck={false}
            maxLength={40}
            size="large"
          />
        </Form.Item>
        <Form.Item
          name="pin"
          label={t('pin_optional')}
          rules={[{ pattern: /^[0-9]{4,12}$/, message: t('pin_pattern') }]}
        >
          <Input.Password inputMode="numeric" autoComplete="off" maxLength={12} size="large" />
        </Form.Item>
        <Button type="primary" htmlType="submit" loading={busy} size="large">
          {t('common:action.search')}
        </Button>
      </Form>
      <p className="quiet">{t('find_hint')}</p>
      {error !== undefined && <ErrorBox error={error} />}
    </Panel>
  );
}

function Expiring() {
  const { t } = useTranslation('cards');
  const [days, setDays] = useState(30);
  const list = useCursorList<Card>(['cards-expiring', days], ({ limit, cursor, signal }) =>
    unwrap(
      client.GET('/v1/cards/expiring', {
        params: { query: { limit, cursor, within_days: days } },
        signal,
      }),
    ),
  );
  const columns: Column<Card>[] = [
    {
      title: t('card'),
      render: (_, card) => <Link to={`/cards/${card.id}`}>•••• {card.last4}</Link>,
    },
    { title: t('program'), render: (_, card) => <Named kind="programs" id={card.program} /> },
    { title: t('state'), render: (_, card) => <CardStateTag state={card.state} /> },
    {
      title: t('available'),
      align: 'right',
      render: (_, card) => <Money amount={card.available} currency={card.currency} />,
    },
    { title: t('expires_at'), render: (_, card) => <Moment at={card.expires_at} /> },
  ];
  return (
    <Panel
      title={t('expiring')}
      extra={
        <label className="within">
          {t('within_days')}
          <InputNumber
            min={1}
            max={366}
            precision={0}
            value={days}
            onChange={(value) => setDays(value ?? 30)}
          />
        </label>
      }
    >
      <CursorTable
        label={t('expiring')}
        list={list}
        columns={columns}
        rowKey={(card) => card.id}
        empty={<EmptyState title={t('expiring_none')} hint={t('expiring_none_hint')} />}
      />
    </Panel>
  );
}

/** Opens the sale of a card from stock. */
function Sell() {
  const { t } = useTranslation('cards');
  const [open, setOpen] = useState(false);
  return (
    <>
      <Button onClick={() => setOpen(true)}>{t('sell')}</Button>
      {open && <SellCard onClose={() => setOpen(false)} />}
    </>
  );
}

export function Component() {
  const { t } = useTranslation('cards');
  const maySell = useCan('load');
  return (
    <Page title={t('title')} lead={t('lead')} actions={maySell && <Sell />}>
      <Find />
      <Expiring />
    </Page>
  );
}
