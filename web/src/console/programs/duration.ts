// Lengths of time as people say them: the largest unit that divides them evenly.

export const UNITS = { day: 86_400, hour: 3600, minute: 60, second: 1 } as const;
export type Unit = keyof typeof UNITS;

export function largestUnit(seconds: number): Unit {
  const units = Object.keys(UNITS) as Unit[];
  return units.find((unit) => seconds >= UNITS[unit] && seconds % UNITS[unit] === 0) ?? 'second';
}

/** 900 → "15 minutes", "15分钟". */
export function formatDuration(seconds: number, locale: string): string {
  const unit = largestUnit(seconds);
  const format = new Intl.NumberFormat(locale, { style: 'unit', unit, unitDisplay: 'long' });
  return format.format(seconds / UNITS[unit]);
}
