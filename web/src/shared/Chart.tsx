// A chart, and the same figures as a table for whoever cannot see it (and for whoever wants to copy them).
// The tooltip is drawn, not html: the content security policy forbids styles in html strings.
import type { EChartsCoreOption, EChartsType } from 'echarts/core';
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import { useIsDark } from './settings';
import { chartColours } from './theme';

type Colours = (typeof chartColours)['light'];

interface Props {
  /** What the chart shows, in a sentence. */
  label: string;
  /** Series, axes and their formats; must not change with every rendering (`useCallback`). */
  option: (colours: Colours) => EChartsCoreOption;
  height: number;
  /** Column headings and rows of the same figures. */
  table: { head: string[]; rows: ReactNode[][] };
}

const reduced = () => matchMedia('(prefers-reduced-motion: reduce)').matches;

function common(colours: Colours): EChartsCoreOption {
  return {
    animation: !reduced(),
    animationDuration: 200,
    animationDurationUpdate: 200,
    textStyle: {
      fontFamily: getComputedStyle(document.body.firstElementChild!).fontFamily,
      color: colours.text,
    },
    aria: { enabled: false }, // the table below says it better
  };
}

const LATEST_MS = 1_000;

/** Text comes first: a chart may come once nothing else is to be done. Safari knows no idleness. */
function whenIdle(draw: () => void): () => void {
  if (typeof requestIdleCallback !== 'function') {
    const timer = setTimeout(draw, 100);
    return () => clearTimeout(timer);
  }
  const asked = requestIdleCallback(draw, { timeout: LATEST_MS });
  return () => cancelIdleCallback(asked);
}

/** A chart that nobody has scrolled to costs nothing; a little before it is seen, it is there. */
const NEAR = '200px';
/** But it is not missing on paper, nor where a page is searched or copied as a whole. */
const ANYWAY_MS = 10_000;

function whenSeen(element: Element, draw: () => void): () => void {
  let cancel = () => {};
  const begin = () => {
    seen.disconnect();
    clearTimeout(anyway);
    cancel = whenIdle(draw);
  };
  const seen = new IntersectionObserver(
    (entries) => entries.some((entry) => entry.isIntersecting) && begin(),
    { rootMargin: NEAR },
  );
  const anyway = setTimeout(begin, ANYWAY_MS);
  seen.observe(element);
  return () => {
    seen.disconnect();
    clearTimeout(anyway);
    cancel();
  };
}

/** Draws into `box` while the component lives, and again when the option, the theme or the size changes. */
function useDrawing(option: Props['option'], colours: Colours) {
  const box = useRef<HTMLDivElement>(null);
  const chart = useRef<EChartsType>(undefined);
  const [failed, setFailed] = useState(false);
  const [ready, setReady] = useState(false);
  useEffect(() => {
    let gone = false;
    const resized = new ResizeObserver(() => chart.current?.resize());
    const cancel = whenSeen(box.current!, () => {
      import('./echarts').then(
        ({ init }) => {
          if (gone || !box.current) return;
          chart.current = init(box.current);
          resized.observe(box.current);
          setReady(true);
        },
        () => setFailed(true),
      );
    });
    return () => {
      gone = true;
      cancel();
      resized.disconnect();
      chart.current?.dispose();
      chart.current = undefined;
    };
  }, []);
  useEffect(() => {
    if (ready)
      chart.current?.setOption({ ...common(colours), ...option(colours) }, { notMerge: true });
  }, [ready, option, colours]);
  return { box, failed, ready };
}

export function Chart({ label, option, height, table }: Props) {
  const { t } = useTranslation();
  const colours = chartColours[useIsDark() ? 'dark' : 'light'];
  const { box, failed, ready } = useDrawing(option, colours);
  const [asTable, setAsTable] = useState(false);
  const showTable = asTable || failed;
  return (
    <figure className="chart">
      <div hidden={showTable}>
        <div ref={box} style={{ height }} role="img" aria-label={label} data-drawn={ready} />
      </div>
      <div className={showTable ? 'chart-table' : 'visually-hidden'}>
        <table>
          <caption className="visually-hidden">{label}</caption>
          <thead>
            <tr>
              {table.head.map((head) => (
                <th key={head} scope="col">
                  {head}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {table.rows.map((cells, row) => (
              <tr key={row}>
                {cells.map((cell, column) =>
                  column === 0 ? (
                    <th key={column} scope="row">
                      {cell}
                    </th>
                  ) : (
                    <td key={column}>{cell}</td>
                  ),
                )}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {!failed && (
        <button type="button" className="plain-button" onClick={() => setAsTable(!asTable)}>
          {asTable ? t('chart.as_chart') : t('chart.as_table')}
        </button>
      )}
    </figure>
  );
}
