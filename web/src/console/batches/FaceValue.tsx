// What each card of a batch is worth. A batch names its program only, so the currency is the program's.
import { api } from '@/api/client';
import { Absent, Money } from '@/shared/format';
import { useCan } from '@/shared/session';
import type { Batch } from './progress';

export function useProgram(id: string | undefined) {
  const mayRead = useCan('catalog_read');
  return api.useQuery(
    'get',
    '/v1/programs/{id}',
    { params: { path: { id: id ?? '' } } },
    { enabled: mayRead && id !== undefined, staleTime: 60_000 },
  ).data;
}

export function FaceValue({ batch, times = 1 }: { batch: Batch; times?: number }) {
  const program = useProgram(batch.program);
  if (batch.face_value == null || !program) return <Absent />;
  return (
    <Money
      amount={batch.face_value * times}
      currency={program.currency}
      exponent={program.currency_exponent}
    />
  );
}
