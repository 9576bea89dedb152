// One program: what its rules mean, and its editor.
import { EditOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { App, Button } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { Link, useNavigate, useParams } from 'react-router';
import { api, client, unwrap } from '@/api/client';
import { ActionButton } from '@/shared/ActionButton';
import { Moment } from '@/shared/format';
import { Id } from '@/shared/Id';
import { Facts, Loaded, Page, Panel } from '@/shared/page';
import { useCan } from '@/shared/session';
import { useCheck } from './check';
import { Editor, useDays } from './Editor';
import { Findings } from './Findings';
import { PackButton } from './Packs';
import { Preview } from './Preview';
import { ProgramStatus } from './ProgramsPage';
import { draftOf, type Program, type ProgramDraft, type Rules } from './rules';
import './programs.css';

type Change = { name?: string; status?: Program['status']; rules?: Rules };

function useChange(program: Program) {
  const queries = useQueryClient();
  const { message } = App.useApp();
  const { t } = useTranslation('programs');
  return async (change: Change) => {
    const params = { path: { id: program.id } };
    const body = { version: program.version, ...change };
    await unwrap(client.PATCH('/v1/programs/{id}', { params, body }));
    void message.success(t('saved'));
    await queries.invalidateQueries({ queryKey: ['get', '/v1/programs/{id}'] });
    await queries.invalidateQueries({ queryKey: ['programs'] });
    await queries.invalidateQueries({ queryKey: ['catalog-names', 'programs'] });
  };
}

function Status({ program }: { program: Program }) {
  const { t } = useTranslation('programs');
  const change = useChange(program);
  const closed = program.status === 'closed';
  const verb = closed ? 'reopen' : 'close';
  return (
    <ActionButton
      danger={!closed}
      title={t(`${verb}_title`, { name: program.name })}
      consequence={<p>{t(`${verb}_consequence`)}</p>}
      run={() => change({ status: closed ? 'active' : 'closed' })}
    >
      {t(verb)}
    </ActionButton>
  );
}

function Shown({ program }: { program: Program }) {
  const { t } = useTranslation('programs');
  const check = useCheck(program.currency, program.rules, program.id);
  return (
    <div className="program">
      <Panel title={t('preview')}>
        <Preview
          name={program.name}
          prefix={program.number_prefix}
          length={program.number_length}
          currency={program.currency}
          exponent={program.currency_exponent}
          rules={program.rules}
        />
      </Panel>
      <div className="column">
        <Panel>
          <Facts
            rows={[
              ['ID', <Id key="id" id={program.id} />],
              [t('status'), <ProgramStatus key="status" status={program.status} />],
              [t('currency'), program.currency],
              [
                t('field.legal_class'),
                t(`choice.legal_class.${program.rules.legal_class ?? 'single_enterprise'}`),
              ],
              [
                t('pack'),
                program.rules.policy_pack ? (
                  <span key="pack" className="row-actions">
                    <code>{program.rules.policy_pack}</code>
                    <PackButton id={program.rules.policy_pack} />
                  </span>
                ) : (
                  t('no_pack')
                ),
              ],
              [t('created'), <Moment key="created" at={program.created_at} />],
            ]}
          />
        </Panel>
        <Panel title={t('findings')}>
          <Findings complete check={check} onGo={() => undefined} />
          <p className="quiet">{t('not_advice')}</p>
        </Panel>
      </div>
    </div>
  );
}

function Edited({ program, onDone }: { program: Program; onDone: () => void }) {
  const days = useDays();
  const change = useChange(program);
  const draft = useMemo(() => draftOf(program, days), [program, days]);
  const save = async (values: ProgramDraft, rules: Rules) => {
    await change({ name: values.name, rules });
    onDone();
  };
  return <Editor draft={draft} program={program} save={save} onCancel={onDone} />;
}

export function Component() {
  const { t } = useTranslation('programs');
  const { id = '' } = useParams();
  const navigate = useNavigate();
  const mayWrite = useCan('catalog_write');
  const mayIssue = useCan('cards_issue');
  const [editing, setEditing] = useState(false);
  const query = api.useQuery('get', '/v1/programs/{id}', { params: { path: { id } } });
  const program = query.data;
  const actions = program && !editing && (
    <>
      {mayIssue && program.status === 'active' && (
        <Button onClick={() => void navigate(`/batches?program=${id}`)}>{t('cards_left')}</Button>
      )}
      {mayWrite && <Status program={program} />}
      {mayWrite && (
        <Button type="primary" icon={<EditOutlined />} onClick={() => setEditing(true)}>
          {t('edit')}
        </Button>
      )}
    </>
  );
  return (
    <Page
      title={program?.name ?? t('title')}
      above={<Link to="/programs">← {t('back')}</Link>}
      actions={actions}
    >
      <Loaded query={query}>
        {(found) =>
          editing ? (
            <Edited key={found.version} program={found} onDone={() => setEditing(false)} />
          ) : (
            <Shown program={found} />
          )
        }
      </Loaded>
    </Page>
  );
}
