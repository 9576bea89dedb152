// A list page's table: a table where there is room, names and values below each other on a phone, and at the
// bottom the way to the next page. Sorting and counting over a whole list is the server's; this shows a page.
import { LeftOutlined, ReloadOutlined, RightOutlined } from '@ant-design/icons';
import { Button, Select, Skeleton, Table, type TableColumnType } from 'antd';
import { type Key, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { ErrorBox } from './ErrorBox';
import { PAGE_SIZES, type CursorList } from './cursor-list';
import { useNarrow } from './narrow';

export type Column<T> = Omit<TableColumnType<T>, 'title'> & { title: string };

interface Props<T> {
  /** What the table lists, for screen readers. */
  label: string;
  list: CursorList<T>;
  columns: Column<T>[];
  rowKey: (row: T) => Key;
  /** Shown instead of an empty table; see `EmptyState`. */
  empty: ReactNode;
  selection?: { keys: Key[]; onChange: (keys: Key[]) => void };
}

function cell<T>(column: Column<T>, row: T, index: number): ReactNode {
  const path = column.dataIndex;
  const value = path === undefined ? undefined : row[path as keyof T];
  return (column.render ? column.render(value, row, index) : value) as ReactNode;
}

/** The library draws the headings once more, unseen, to measure them: nothing of that may take the focus. */
function OnlySeen({ children }: { children: ReactNode }) {
  const hide = (element: HTMLElement | null) => {
    if (element?.closest('.ant-table-measure-row')) element.inert = true;
  };
  return <span ref={hide}>{children}</span>;
}

function Stack<T>({ label, list, columns, rowKey }: Props<T>) {
  return (
    <ul className="stack" aria-label={label}>
      {list.items?.map((row, index) => (
        <li key={rowKey(row)}>
          <dl>
            {columns.map((column, place) => (
              <div key={place}>
                <dt>{column.title}</dt>
                <dd>{cell(column, row, index)}</dd>
              </div>
            ))}
          </dl>
        </li>
      ))}
    </ul>
  );
}

function Pager<T>({ list }: { list: CursorList<T> }) {
  const { t } = useTranslation();
  return (
    <nav className="pager" aria-label={t('list.pages')}>
      <Button
        icon={<ReloadOutlined />}
        loading={list.isFetching}
        onClick={list.refetch}
        aria-label={t('action.refresh')}
      />
      <Select
        value={list.limit}
        onChange={list.setLimit}
        options={PAGE_SIZES.map((size) => ({ value: size, label: t('list.per_page', { size }) }))}
        aria-label={t('list.page_size')}
      />
      <Button
        icon={<LeftOutlined />}
        disabled={list.page === 1}
        onClick={list.previous}
        aria-label={t('list.previous')}
      />
      <span aria-live="polite">{t('list.page', { page: list.page })}</span>
      <Button
        icon={<RightOutlined />}
        disabled={!list.hasNext}
        onClick={list.next}
        aria-label={t('list.next')}
      />
    </nav>
  );
}

export function CursorTable<T extends object>(props: Props<T>) {
  const { label, list, columns, rowKey, empty, selection } = props;
  const narrow = useNarrow();
  if (list.error && !list.items) return <ErrorBox error={list.error} onRetry={list.refetch} />;
  if (!list.items) return <Skeleton active title={false} paragraph={{ rows: 8 }} />;
  if (list.items.length === 0 && list.page === 1 && !list.hasNext) return <>{empty}</>;
  return (
    <div className="list">
      {list.error ? <ErrorBox error={list.error} onRetry={list.refetch} /> : null}
      {narrow && !selection ? (
        <Stack {...props} />
      ) : (
        <Table<T>
          aria-label={label}
          size="small"
          columns={columns}
          dataSource={list.items}
          rowKey={rowKey}
          pagination={false}
          scroll={{ x: 'max-content' }}
          rowSelection={
            selection && {
              selectedRowKeys: selection.keys,
              columnTitle: (all) => <OnlySeen>{all}</OnlySeen>,
              onChange: (keys) => selection.onChange(keys),
            }
          }
        />
      )}
      <Pager list={list} />
    </div>
  );
}
