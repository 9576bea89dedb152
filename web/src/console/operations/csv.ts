// Comma-separated values that a spreadsheet reads as they are: quoted where needed, and never as a formula.

/** A cell that begins like a formula gets an apostrophe, because spreadsheets run formulas of files they open. */
function cell(value: string | number | undefined | null): string {
  if (value == null) return '';
  if (typeof value === 'number') return String(value);
  const safe = /^[=+\-@\t\r]/.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
}

export type Row = readonly (string | number | undefined | null)[];

export function csvLines(rows: readonly Row[]): string {
  return rows.map((row) => `${row.map(cell).join(',')}\r\n`).join('');
}

/** Hands lines to the browser as a file. The mark at its head tells spreadsheets that it is UTF-8. */
export function saveCsv(name: string, parts: readonly string[]) {
  const url = URL.createObjectURL(
    new Blob(['\uFEFF', ...parts], { type: 'text/csv;charset=utf-8' }),
  );
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
