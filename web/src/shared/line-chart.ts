// Lines over the hours of a day, drawn by uPlot. Loaded only when such a chart is seen, through `Chart`.
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface Line {
  name: string;
  /** One for each label; null where there is none. */
  values: (number | null)[];
  colour: string;
  /** Whether it is in the background: dashed, and its points are not marked. */
  faint: boolean;
}

export interface Lines {
  labels: string[];
  lines: Line[];
  /** What the labels are of, for the line that follows the pointer. */
  of: string;
  /** A value in words, and as short as it has to be beside an axis. */
  value: (value: number) => string;
  short: (value: number) => string;
}

export interface Look {
  text: string;
  grid: string;
  font: string;
}

const NAMES_HEIGHT = 28;
const AXIS_FONT_SIZE = 12;
const LABEL_SPACE = 56;
const ROW_SPACE = 48;

/** Room for the widest of the axis's values, and a little beside it. */
function axisWidth(plot: uPlot, values: string[] | null, look: Look): number {
  plot.ctx.save();
  plot.ctx.font = `${AXIS_FONT_SIZE}px ${look.font}`;
  const widest = Math.max(0, ...(values ?? []).map((text) => plot.ctx.measureText(text).width));
  plot.ctx.restore();
  return Math.ceil(widest) + 12;
}

function options(
  { labels, lines, of, value, short }: Lines,
  look: Look,
): Omit<uPlot.Options, 'width' | 'height'> {
  const axis = {
    stroke: look.text,
    font: `${AXIS_FONT_SIZE}px ${look.font}`,
    ticks: { show: false },
  };
  return {
    padding: [8, 16, 0, 0],
    scales: {
      x: { time: false, range: [0, Math.max(1, labels.length - 1)] },
      // From nothing: a line that begins at the least of its values tells of changes that are none.
      y: { range: (_, least, most) => [Math.min(0, least ?? 0), Math.max(1, most ?? 0) * 1.05] },
    },
    axes: [
      {
        ...axis,
        space: LABEL_SPACE,
        incrs: [1, 2, 3, 4, 6, 12],
        size: 28,
        grid: { show: false },
        values: (_, at) => at.map((index) => labels[index] ?? ''),
      },
      {
        ...axis,
        space: ROW_SPACE,
        size: (plot, values) => axisWidth(plot, values, look),
        grid: { stroke: look.grid, width: 1 },
        values: (_, at) => at.map(short),
      },
    ],
    series: [
      { label: of, value: (_, index) => (index === null ? '' : (labels[index] ?? '')) },
      ...lines.map((line): uPlot.Series => ({
        label: line.name,
        stroke: line.colour,
        width: 2,
        ...(line.faint ? { dash: [6, 4] } : {}),
        points: line.faint ? { show: false } : { show: true, size: 5, fill: line.colour },
        value: (_, at) => (at === null ? '' : value(at)),
      })),
    ],
    legend: {
      markers: { dash: (_, series) => (lines[series - 1]?.faint ? 'dashed' : 'solid') },
    },
    cursor: { drag: { x: false, y: false }, y: false },
  };
}

export interface Drawn {
  resize: (width: number) => void;
  remove: () => void;
}

export function draw(box: HTMLElement, height: number, lines: Lines, look: Look): Drawn {
  const size = (width: number) => ({ width, height: height - NAMES_HEIGHT });
  const data: uPlot.AlignedData = [
    lines.labels.map((_, index) => index),
    ...lines.lines.map((line) => line.values),
  ];
  const plot = new uPlot({ ...options(lines, look), ...size(box.clientWidth) }, data, box);
  return { resize: (width) => plot.setSize(size(width)), remove: () => plot.destroy() };
}
