// The rule editor: groups of rules on the left, and beside them what they mean and what stands against them.
import { Button, Form, Modal } from 'antd';
import { useMemo, useState } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorBox, useErrorText } from '@/shared/ErrorBox';
import { markField } from '@/shared/forms';
import { currencyExponent } from '@/shared/money';
import { Panel } from '@/shared/page';
import { useTimeZone } from '@/shared/session';
import { addDays, startOfDay } from '@/shared/time';
import { useCheck } from './check';
import { CurrencyContext, FindingsContext } from './fields';
import { Findings } from './Findings';
import {
  AcceptanceGroup,
  BindingGroup,
  CardGroup,
  DenominationsGroup,
  LawGroup,
  LimitsGroup,
  LotsGroup,
  PinGroup,
  ResidualGroup,
  TimesGroup,
  ValidityGroup,
  ValueGroup,
} from './groups';
import { Preview } from './Preview';
import { rulesOf, type Program, type ProgramDraft, type Rules } from './rules';
import { lastDayBefore } from './writing';
import './programs.css';

/** Days of validity as moments in the issuer's zone, and back. */
export function useDays() {
  const zone = useTimeZone();
  return useMemo(
    () => ({
      endOf: (day: string) => startOfDay(addDays(day, 1), zone),
      lastDayBefore: (moment: string) => lastDayBefore(moment, zone),
    }),
    [zone],
  );
}

interface Props {
  draft: ProgramDraft;
  /** The program that is changed; without it, a new one is made. */
  program?: Program;
  save: (draft: ProgramDraft, rules: Rules) => Promise<unknown>;
  onCancel: () => void;
}

export function Editor({ draft, program, save, onCancel }: Props) {
  const { t } = useTranslation(['programs', 'common']);
  const [form] = Form.useForm<ProgramDraft>();
  const [modal, modals] = Modal.useModal();
  const errorText = useErrorText();
  const [error, setError] = useState<unknown>();
  const [busy, setBusy] = useState(false);
  const days = useDays();
  const values = Form.useWatch<ProgramDraft>([], { form, preserve: true }) ?? draft;
  const written = JSON.stringify(values.rules ?? draft.rules);
  const rules = useMemo(() => rulesOf(JSON.parse(written), days), [written, days]);
  const currency = values.currency ?? draft.currency;
  const exponent = program?.currency_exponent ?? currencyExponent(currency);
  const check = useCheck(currency, rules, program?.id);
  const money = useMemo(() => ({ currency, exponent }), [currency, exponent]);
  const findings = rules && check.data ? check.data.findings : [];

  const submit = async () => {
    const filled = form.getFieldsValue(true) as ProgramDraft;
    const wanted = rulesOf(filled.rules, days);
    if (!wanted) return;
    if (program) {
      const agreed = await modal.confirm({
        title: t('save_title'),
        content: t('save_consequence'),
        okText: t('common:action.save'),
        cancelText: t('common:action.cancel'),
      });
      if (!agreed) return;
    }
    setBusy(true);
    setError(undefined);
    try {
      await save(filled, wanted);
    } catch (failure) {
      setError(failure);
      markField(form, failure, errorText(failure).cure);
    } finally {
      setBusy(false);
    }
  };

  const go = (field: string[]) => form.scrollToField(field, { focus: true, block: 'center' });
  return (
    <FindingsContext.Provider value={findings}>
      <CurrencyContext.Provider value={money}>
        {modals}
        <div className="editor">
          <Form<ProgramDraft>
            form={form}
            layout="vertical"
            initialValues={draft}
            onFinish={() => void submit()}
            scrollToFirstError={{ focus: true, block: 'center' }}
            className="editor-form"
          >
            <CardGroup fixed={program !== undefined} />
            <DenominationsGroup />
            <ValidityGroup />
            <LawGroup currency={currency} packFixed={Boolean(program?.rules.policy_pack)} />
            <AcceptanceGroup />
            <LimitsGroup />
            <ValueGroup />
            <PinGroup />
            <BindingGroup />
            <LotsGroup />
            <ResidualGroup />
            <TimesGroup />
          </Form>
          <aside className="editor-side" aria-label={t('preview')}>
            <Panel title={t('findings')}>
              <div aria-live="polite">
                <Findings complete={rules !== undefined} check={check} onGo={go} />
              </div>
              <p className="quiet">{t('not_advice')}</p>
            </Panel>
            <Panel title={t('preview')}>
              <Preview
                name={values.name}
                prefix={values.number_prefix}
                length={values.number_length ?? 16}
                currency={currency}
                exponent={exponent}
                rules={rules}
              />
            </Panel>
            {error !== undefined && <ErrorBox error={error} />}
            <div className="actions">
              <Button type="primary" loading={busy} onClick={() => form.submit()}>
                {t(program ? 'common:action.save' : 'common:action.create')}
              </Button>
              <Button onClick={onCancel}>{t('common:action.cancel')}</Button>
            </div>
          </aside>
        </div>
      </CurrencyContext.Provider>
    </FindingsContext.Provider>
  );
}
