// What the wallet and the receipt show must be readable by the scanner that the till uses.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { encode } from 'uqr';
import { describe, expect, it } from 'vitest';
import { prepareZXingModule, readBarcodes } from 'zxing-wasm/reader';
import { barsOf } from './Barcode';

const wasm = createRequire(import.meta.url).resolve('zxing-wasm/reader/zxing_reader.wasm');
const binary = new Uint8Array(readFileSync(wasm)).buffer;
prepareZXingModule({ overrides: { wasmBinary: binary } });

/** A black and white picture of modules, enlarged, with a light border. */
function picture(modules: boolean[][], scale: number, border: number): ImageData {
  const width = (modules[0]!.length + 2 * border) * scale;
  const height = (modules.length + 2 * border) * scale;
  const data = new Uint8ClampedArray(width * height * 4).fill(255);
  for (let y = 0; y < height; y++) {
    for (let x = 0; x < width; x++) {
      const row = modules[Math.floor(y / scale) - border];
      if (row?.[Math.floor(x / scale) - border])
        data.fill(0, (y * width + x) * 4, (y * width + x) * 4 + 3);
    }
  }
  return { data, width, height, colorSpace: 'srgb' } as ImageData;
}

async function scan(image: ImageData) {
  const found = await readBarcodes(image, {
    formats: ['QRCode', 'Code128'],
    maxNumberOfSymbols: 1,
  });
  return found.map(({ text, symbology }) => [symbology, text]);
}

describe('what is shown can be scanned', () => {
  it.each(['28000000004269497053', '28999999994056020397'])('%s as bars', async (code) => {
    const bars = [...barsOf(code)].map((bar) => bar === '1');
    const rows = Array.from({ length: 40 }, () => bars);
    expect(await scan(picture(rows, 2, 10))).toEqual([['Code128', code]]);
  });

  it.each(['28123456785756031756', 'op_00000003nqk8n'])('%s as a square', async (text) => {
    const { data } = encode(text, { ecc: 'M', border: 4 });
    expect(await scan(picture(data, 4, 0))).toEqual([['QRCode', text]]);
  });
});
