// A short table that is all there: a table where there is room, names and values below each other on a phone.
import { Table, type TableColumnType } from 'antd';
import type { Key, ReactNode } from 'react';
import { useNarrow } from '@/shared/narrow';

interface Column<T> {
  title: string;
  align?: TableColumnType<T>['align'];
  render: (value: unknown, row: T) => ReactNode;
}

interface Props<T> {
  label: string;
  rows: readonly T[];
  rowKey: (row: T) => Key;
  columns: Column<T>[];
}

export function SmallTable<T extends object>({ label, rows, rowKey, columns }: Props<T>) {
  if (!useNarrow()) {
    return (
      <Table<T>
        size="small"
        aria-label={label}
        rowKey={rowKey}
        dataSource={rows}
        columns={columns}
        pagination={rows.length > 10 ? { pageSize: 10, size: 'small' } : false}
      />
    );
  }
  return (
    <ul className="stack" aria-label={label}>
      {rows.map((row) => (
        <li key={rowKey(row)}>
          <dl>
            {columns.map((column) => (
              <div key={column.title}>
                <dt>{column.title}</dt>
                <dd>{column.render(undefined, row)}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}
