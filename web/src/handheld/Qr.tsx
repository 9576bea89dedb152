// A QR code as one path of an SVG: sharp on every screen and on paper, and no canvas to keep.
import { encode } from 'uqr';
import { parts } from './parts';

/** The dark modules as a path, row by row, runs joined. */
export function pathOf(modules: boolean[][]): string {
  let path = '';
  modules.forEach((row, y) => {
    for (let x = 0; x < row.length; x++) {
      if (!row[x]) continue;
      const start = x;
      while (row[x + 1]) x++;
      path += `M${start} ${y}h${x - start + 1}v1H${start}z`;
    }
  });
  return path;
}

export default function Qr({ text, label }: { text: string; label: string }) {
  // Four light modules around it, as the standard asks for.
  const code = encode(text, { ecc: 'M', border: 4 });
  return (
    <svg
      className={parts.qr}
      viewBox={`0 0 ${code.size} ${code.size}`}
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <rect width={code.size} height={code.size} fill="#fff" />
      <path d={pathOf(code.data)} fill="#000" />
    </svg>
  );
}
