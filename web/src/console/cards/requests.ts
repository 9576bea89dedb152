// What each action sends: the values of its form as the body of its route.
import { client, unwrap } from '@/api/client';
import type { components } from '@/api/schema';
import { addDays, startOfDay } from '@/shared/time';
import { readCardName, type CardName } from './card-name';
import type { Action, Card } from './actions';
import type { Answer } from './submission';

type Schemas = components['schemas'];
type Funding = Schemas['Funding'];

export interface Values {
  amount?: number;
  bonus?: number;
  bonus_last_day?: string;
  source?: Schemas['LotSource'];
  direction?: Schemas['Direction'];
  reason?: string;
  reference?: string;
  member?: string;
  pin?: string;
  to?: string;
  last_day?: string;
  funding?: Partial<Funding>;
}

interface Context {
  card: Card;
  key: string;
  timeZone: string;
}

/** Leaves out what was left empty: absent is what the server takes for "not given". */
export function given<T extends object>(value: T): T {
  return Object.fromEntries(
    Object.entries(value).filter(
      ([, entry]) => entry !== undefined && entry !== null && entry !== '',
    ),
  ) as T;
}

/** The facts of the payment; nothing unless its three necessary ones are there. */
export function fundingOf(values: Values): Funding | undefined {
  const funding = values.funding;
  if (!funding?.kind || !funding.payment || funding.face_to_face === undefined) return undefined;
  return given(funding) as Funding;
}

const endOf = (day: string | undefined, zone: string) =>
  day ? startOfDay(addDays(day, 1), zone) : undefined;

function bonusOf(values: Values, zone: string) {
  if (!values.bonus) return undefined;
  return given({ amount: values.bonus, expires_at: endOf(values.bonus_last_day, zone) });
}

const named = (values: Values): CardName => readCardName(values.to ?? '') ?? { id: '' };

const senders: Record<
  Exclude<Action, 'holder_refund'>,
  (values: Values, context: Context) => Promise<unknown>
> = {
  activate: (values, { card, key, timeZone }) =>
    unwrap(
      client.POST('/v1/activations', {
        params: { header: { 'Idempotency-Key': key } },
        body: given({
          card: { id: card.id },
          currency: card.currency,
          amount: values.amount,
          bonus: bonusOf(values, timeZone),
          reference: values.reference,
          funding: fundingOf(values),
        }),
      }),
    ),
  load: (values, { card, key, timeZone }) =>
    unwrap(
      client.POST('/v1/loads', {
        params: { header: { 'Idempotency-Key': key } },
        body: given({
          card: { id: card.id },
          currency: card.currency,
          amount: values.amount ?? 0,
          source: values.source,
          bonus: bonusOf(values, timeZone),
          reference: values.reference,
          funding: fundingOf(values),
        }),
      }),
    ),
  adjust: (values, { card, key }) =>
    unwrap(
      client.POST('/v1/adjustments', {
        params: { header: { 'Idempotency-Key': key } },
        body: given({
          card: { id: card.id },
          currency: card.currency,
          amount: values.amount ?? 0,
          direction: values.direction ?? 'credit',
          reason: values.reason ?? '',
          reference: values.reference,
        }),
      }),
    ),
  bind: (values, { card, key }) =>
    unwrap(
      client.POST('/v1/cards/{id}/bind', {
        params: { path: { id: card.id }, header: { 'Idempotency-Key': key } },
        body: given({ member: values.member ?? '', pin: values.pin }),
      }),
    ),
  freeze: (values, { card, key }) =>
    unwrap(
      client.POST('/v1/cards/{id}/freeze', {
        params: { path: { id: card.id }, header: { 'Idempotency-Key': key } },
        body: { reason: values.reason ?? '' },
      }),
    ),
  close: (values, { card, key }) =>
    unwrap(
      client.POST('/v1/cards/{id}/close', {
        params: { path: { id: card.id }, header: { 'Idempotency-Key': key } },
        body: { reason: values.reason ?? '' },
      }),
    ),
  unfreeze: (_, { card, key }) =>
    unwrap(
      client.POST('/v1/cards/{id}/unfreeze', {
        params: { path: { id: card.id }, header: { 'Idempotency-Key': key } },
        body: {},
      }),
    ),
  report_lost: (_, { card, key }) =>
    unwrap(
      client.POST('/v1/cards/{id}/report-lost', {
        params: { path: { id: card.id }, header: { 'Idempotency-Key': key } },
        body: {},
      }),
    ),
  reactivate: (values, { card, key, timeZone }) =>
    unwrap(
      client.POST('/v1/cards/{id}/reactivate', {
        params: { path: { id: card.id }, header: { 'Idempotency-Key': key } },
        body: given({ expires_at: endOf(values.last_day, timeZone) }),
      }),
    ),
  replace: (values, { card, key }) =>
    unwrap(
      client.POST('/v1/replacements', {
        params: { header: { 'Idempotency-Key': key } },
        body: given({
          from: { id: card.id },
          to: named(values),
          pin: values.pin,
          reference: values.reference,
        }),
      }),
    ),
  exchange: (values, { card, key }) =>
    unwrap(
      client.POST('/v1/exchanges', {
        params: { header: { 'Idempotency-Key': key } },
        body: given({
          from: { id: card.id },
          to: named(values),
          amount: values.amount,
          pin: values.pin,
          reference: values.reference,
        }),
      }),
    ),
};

export async function send(
  action: Exclude<Action, 'holder_refund'>,
  values: Values,
  context: Context,
) {
  return (await senders[action](values, context)) as Answer;
}
