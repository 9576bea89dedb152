// A day, "2026-11-23" in the form, shown and typed as the reader's language writes it. The browser's own field
// would follow the browser's language, and its calendar the browser's time zone: a clerk abroad would be offered
// another "today" than the books have.
import { DatePicker } from 'antd';
import dayjs, { type Dayjs } from 'dayjs';
import customParseFormat from 'dayjs/plugin/customParseFormat';
import { useId, type ReactNode } from 'react';
import { useTimeZone } from './session';
import { useLanguage } from './settings';
import { dayOf } from './time';

dayjs.extend(customParseFormat);

const WIRE = 'YYYY-MM-DD';
/** The first is shown; all may be typed. As `formatDay` writes them. */
const FORMATS = {
  zh: ['YYYY/MM/DD', WIRE, 'YYYYMMDD', 'YYYY/M/D'],
  en: ['MM/DD/YYYY', WIRE, 'YYYYMMDD', 'M/D/YYYY'],
};

interface Props {
  id?: string;
  value?: string | null;
  onChange?: (day: string | undefined) => void;
  /** Earliest and latest day that may be chosen. */
  min?: string;
  max?: string;
  /** A day has to be there: it cannot be emptied. */
  needed?: boolean;
  disabled?: boolean;
}

function read(day: string | null | undefined): Dayjs | null {
  if (!day) return null;
  const found = dayjs(day, WIRE, true);
  return found.isValid() ? found : null;
}

export function DateField({ value, onChange, min, max, needed, ...rest }: Props) {
  const language = useLanguage();
  const today = dayOf(new Date(), useTimeZone());
  return (
    <DatePicker
      {...rest}
      className="date-field"
      value={read(value)}
      onChange={(day: Dayjs | null) => onChange?.(day ? day.format(WIRE) : undefined)}
      format={FORMATS[language]}
      placeholder={FORMATS[language][0]}
      minDate={read(min) ?? undefined}
      maxDate={read(max) ?? undefined}
      allowClear={!needed}
      showNow={false}
      defaultPickerValue={dayjs(today)}
      cellRender={(current, { type, originNode }) =>
        type === 'date' && dayjs(current).format(WIRE) === today ? (
          <span className="today">{originNode}</span>
        ) : (
          originNode
        )
      }
      classNames={{ popup: { root: 'date-popup' } }}
    />
  );
}

/** A day among filters, with its name above it. */
export function DateFilter({ label, ...field }: Props & { label: ReactNode }) {
  const id = useId();
  return (
    <div className="filter-item">
      <label htmlFor={id}>{label}</label>
      <DateField {...field} id={id} />
    </div>
  );
}
