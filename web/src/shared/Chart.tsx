// A chart, and the same figures as a table for whoever cannot see it (and for whoever wants to copy them).
import { useEffect, useRef, useState, type ReactNode } from 'react';
import { useTranslation } from 'react-i18next';
import type { Drawn, Lines } from './line-chart';
import { useIsDark } from './settings';
import { chartColours } from './theme';

type Colours = (typeof chartColours)['light'];

interface Props {
  /** What the chart shows, in a sentence. */
  label: string;
  /** What is drawn; must not change with every rendering (`useCallback`). */
  lines: (colours: Colours) => Lines;
  height: number;
  /** Column headings and rows of the same figures. */
  table: { head: string[]; rows: ReactNode[][] };
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

type Library = typeof import('./line-chart');

/** Draws into `box` while the component lives, and again when the figures, the theme or the size change. */
function useDrawing(lines: Props['lines'], height: number, colours: Colours) {
  const box = useRef<HTMLDivElement>(null);
  const [library, setLibrary] = useState<Library>();
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    let gone = false;
    const cancel = whenSeen(box.current!, () => {
      import('./line-chart').then(
        (loaded) => !gone && setLibrary(loaded),
        () => !gone && setFailed(true),
      );
    });
    return () => {
      gone = true;
      cancel();
    };
  }, []);
  useEffect(() => {
    const element = box.current;
    if (!library || !element) return;
    const { fontFamily } = getComputedStyle(element);
    const look = { text: colours.text, grid: colours.grid, font: fontFamily };
    const drawn: Drawn = library.draw(element, height, lines(colours), look);
    // Nothing to draw into while the table is shown in its place.
    const resized = new ResizeObserver(() => {
      if (element.clientWidth > 0) drawn.resize(element.clientWidth);
    });
    resized.observe(element);
    return () => {
      resized.disconnect();
      drawn.remove();
    };
  }, [library, lines, height, colours]);
  return { box, failed, ready: library !== undefined };
}

export function Chart({ label, lines, height, table }: Props) {
  const { t } = useTranslation();
  const colours = chartColours[useIsDark() ? 'dark' : 'light'];
  const { box, failed, ready } = useDrawing(lines, height, colours);
  const [asTable, setAsTable] = useState(false);
  const showTable = asTable || failed;
  return (
    <figure className="chart">
      <div hidden={showTable}>
        <div
          ref={box}
          className="chart-box"
          style={{ height }}
          role="img"
          aria-label={label}
          data-drawn={ready}
        />
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
