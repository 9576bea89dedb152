// A table of figures that may be wider than the page: it scrolls by itself, with keys as well.
import { Table, type TableProps, type TableRef } from 'antd';
import { useEffect, useRef } from 'react';

interface Props<T> extends TableProps<T> {
  'aria-label': string;
}

export function ScrollTable<T extends object>(props: Props<T>) {
  const label = props['aria-label'];
  const table = useRef<TableRef>(null);
  useEffect(() => {
    const area = table.current?.nativeElement.querySelector<HTMLElement>('.ant-table-content');
    if (!area) return;
    // A stop for the Tab key only where there is something to scroll to.
    const look = () => {
      if (area.scrollWidth > area.clientWidth) {
        area.tabIndex = 0;
        area.role = 'region';
        area.ariaLabel = label;
      } else {
        for (const name of ['tabindex', 'role', 'aria-label']) area.removeAttribute(name);
      }
    };
    const observer = new ResizeObserver(look);
    observer.observe(area);
    if (area.firstElementChild) observer.observe(area.firstElementChild);
    return () => observer.disconnect();
  }, [label]);
  return (
    <Table<T>
      size="small"
      pagination={false}
      scroll={{ x: 'max-content' }}
      {...props}
      ref={table}
    />
  );
}
