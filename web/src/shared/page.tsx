// The frame of a page: heading, actions, and its three other states: loading, empty, failed.
import { Skeleton } from 'antd';
import { useEffect, type ReactNode } from 'react';
import { ErrorBox } from './ErrorBox';

interface PageProps {
  title: string;
  /** A sentence below the title: what the page is for. */
  lead?: ReactNode;
  /** Buttons at the right of the title. */
  actions?: ReactNode;
  /** Shown above the title, e.g. a link back to the list. */
  above?: ReactNode;
  children: ReactNode;
}

export function Page({ title, lead, actions, above, children }: PageProps) {
  useEffect(() => {
    document.title = `${title} · Hexiao`;
  }, [title]);
  return (
    <div className="page">
      {above}
      <header className="page-head">
        <div>
          <h1>{title}</h1>
          {lead && <p className="lead">{lead}</p>}
        </div>
        {actions && <div className="actions">{actions}</div>}
      </header>
      {children}
    </div>
  );
}

/** A part of a page with its own heading, on a plain surface. */
export function Panel(props: {
  title?: ReactNode;
  extra?: ReactNode;
  children: ReactNode;
  className?: string;
}) {
  return (
    <section className={`panel ${props.className ?? ''}`}>
      {(props.title || props.extra) && (
        <header className="panel-head">
          {props.title && <h2>{props.title}</h2>}
          {props.extra}
        </header>
      )}
      {props.children}
    </section>
  );
}

interface QueryLike<T> {
  data: T | undefined;
  error: unknown;
  isPending: boolean;
  refetch: () => unknown;
}

/** Shows a query: skeleton, error with retry, or what `children` makes of the data. */
export function Loaded<T>({
  query,
  children,
}: {
  query: QueryLike<T>;
  children: (data: T) => ReactNode;
}) {
  if (query.data !== undefined) {
    return (
      <>
        {query.error ? <ErrorBox error={query.error} onRetry={() => query.refetch()} /> : null}
        {children(query.data)}
      </>
    );
  }
  if (query.error) return <ErrorBox error={query.error} onRetry={() => query.refetch()} />;
  return <Skeleton active title={false} paragraph={{ rows: 6 }} />;
}

/** Nothing to show yet: say why, and what to do. */
export function EmptyState({
  title,
  hint,
  action,
}: {
  title: string;
  hint?: ReactNode;
  action?: ReactNode;
}) {
  return (
    <div className="empty">
      <p className="empty-title">{title}</p>
      {hint && <p>{hint}</p>}
      {action}
    </div>
  );
}

/** Names and values of one thing: `[['Name', 'Spring card'], …]`; rows with `undefined` are left out. */
export function Facts({ rows }: { rows: readonly (readonly [label: string, value: ReactNode])[] }) {
  return (
    <dl className="facts">
      {rows
        .filter(([, value]) => value !== undefined && value !== null)
        .map(([label, value]) => (
          <div key={label}>
            <dt>{label}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}
