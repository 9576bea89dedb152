// Code 128, digits in pairs, as one path: for the many scanners that read bars only.
import code128 from 'jsbarcode/bin/barcodes/CODE128/CODE128C.js';
import styles from './wallet.module.css';

/** Light modules on either side, as the standard asks for. */
const QUIET = 10;

/** The bars of an even number of digits, as a text of ones and zeros. */
export function barsOf(digits: string): string {
  // The package is CommonJS; bundlers and Node hand it over differently.
  const Code = 'default' in code128 ? code128.default : code128;
  return new Code(digits, {}).encode().data;
}

export default function Barcode({ digits, label }: { digits: string; label: string }) {
  const bars = barsOf(digits);
  let path = '';
  for (const run of bars.matchAll(/1+/g))
    path += `M${QUIET + run.index} 0h${run[0].length}v1H${QUIET + run.index}z`;
  return (
    <svg
      className={styles.bars}
      viewBox={`0 0 ${bars.length + 2 * QUIET} 1`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
      shapeRendering="crispEdges"
    >
      <path d={path} fill="#000" />
    </svg>
  );
}
