// All programs, in the order of their creation.
import { PlusOutlined } from '@ant-design/icons';
import { Button } from 'antd';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate } from 'react-router';
import { client, unwrap } from '@/api/client';
import { CursorTable, type Column } from '@/shared/CursorTable';
import { useCursorList } from '@/shared/cursor-list';
import { Absent, Moment, useFormat } from '@/shared/format';
import { Id } from '@/shared/Id';
import { EmptyState, Page } from '@/shared/page';
import { useCan } from '@/shared/session';
import { StatusTag } from '@/shared/StatusTag';
import type { Program } from './rules';
import { lastDayBefore } from './writing';
import './programs.css';

export function ProgramStatus({ status }: { status: Program['status'] }) {
  const { t } = useTranslation('programs');
  return (
    <StatusTag tone={status === 'active' ? 'good' : 'neutral'}>{t(`status_${status}`)}</StatusTag>
  );
}

/** What cards are sold for, short enough for a cell. */
function FaceValues({ program }: { program: Program }) {
  const { money } = useFormat();
  const { denominations } = program.rules;
  const write = (minor: number) => money(minor, program.currency, program.currency_exponent);
  if (denominations.kind === 'free') {
    const { min, max } = denominations;
    return min > 0 ? `${write(min)} – ${write(max)}` : `≤ ${write(max)}`;
  }
  const amounts = denominations.amounts.toSorted((a, b) => a - b);
  const shown = amounts.slice(0, 4).map(write).join(' · ');
  return amounts.length > 4 ? `${shown} …` : shown;
}

export function ValidityShort({ program }: { program: Program }) {
  const { t } = useTranslation('programs');
  const { day, timeZone } = useFormat();
  const { validity } = program.rules;
  const formatted = new Intl.NumberFormat(useFormat().locale, {
    style: 'unit',
    unit: validity.kind === 'months' ? 'month' : 'day',
    unitDisplay: 'long',
  });
  switch (validity.kind) {
    case 'unlimited':
      return t('choice.validity.unlimited');
    case 'days':
      return formatted.format(validity.days);
    case 'months':
      return formatted.format(validity.months);
    case 'until':
      return `– ${day(lastDayBefore(validity.at, timeZone))}`;
  }
}

export function Component() {
  const { t } = useTranslation('programs');
  const navigate = useNavigate();
  const mayWrite = useCan('catalog_write');
  const list = useCursorList<Program>(['programs'], ({ limit, cursor, signal }) =>
    unwrap(client.GET('/v1/programs', { params: { query: { limit, cursor } }, signal })),
  );
  const add = mayWrite && (
    <Button type="primary" icon={<PlusOutlined />} onClick={() => void navigate('/programs/new')}>
      {t('new')}
    </Button>
  );
  const columns: Column<Program>[] = [
    { title: t('name'), render: (_, row) => <Link to={`/programs/${row.id}`}>{row.name}</Link> },
    { title: t('face_values'), render: (_, row) => <FaceValues program={row} /> },
    { title: t('validity_title'), render: (_, row) => <ValidityShort program={row} /> },
    { title: t('currency'), dataIndex: 'currency' },
    {
      title: t('pack'),
      render: (_, row) =>
        row.rules.policy_pack ? <code>{row.rules.policy_pack}</code> : <Absent />,
    },
    { title: t('status'), render: (_, row) => <ProgramStatus status={row.status} /> },
    { title: t('created'), render: (_, row) => <Moment at={row.created_at} /> },
    { title: 'ID', render: (_, row) => <Id id={row.id} to={`/programs/${row.id}`} /> },
  ];
  return (
    <Page title={t('title')} lead={t('lead')} actions={add}>
      <CursorTable
        label={t('title')}
        list={list}
        columns={columns}
        rowKey={(row) => row.id}
        empty={<EmptyState title={t('empty')} hint={t('empty_hint')} action={add} />}
      />
    </Page>
  );
}
