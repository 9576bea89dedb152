// Reading codes from the camera: with the browser's own detector where there is one, else with ZXing compiled to
// WebAssembly and served with the page.

/** The texts in a picture. */
export type Detect = (video: HTMLVideoElement) => Promise<string[]>;

interface NativeDetector {
  detect(source: HTMLVideoElement): Promise<{ rawValue: string }[]>;
}
interface NativeDetectors {
  new (options: { formats: string[] }): NativeDetector;
  getSupportedFormats(): Promise<string[]>;
}

const FORMATS = ['qr_code', 'code_128'];
/** Finer pictures cost time and find nothing more. */
const MAX_WIDTH = 960;

async function nativeDetector(): Promise<Detect | undefined> {
  const detectors = (globalThis as { BarcodeDetector?: NativeDetectors }).BarcodeDetector;
  if (!detectors) return undefined;
  const supported = await detectors.getSupportedFormats();
  if (!FORMATS.every((format) => supported.includes(format))) return undefined;
  const detector = new detectors({ formats: FORMATS });
  return async (video) => (await detector.detect(video)).map((found) => found.rawValue);
}

async function ownDetector(): Promise<Detect> {
  const [zxing, wasm] = await Promise.all([
    import('zxing-wasm/reader'),
    import('zxing-wasm/reader/zxing_reader.wasm?url'),
  ]);
  zxing.prepareZXingModule({ overrides: { locateFile: () => wasm.default } });
  const canvas = document.createElement('canvas');
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('no canvas');
  return async (video) => {
    const scale = Math.min(1, MAX_WIDTH / video.videoWidth);
    canvas.width = Math.round(video.videoWidth * scale);
    canvas.height = Math.round(video.videoHeight * scale);
    context.drawImage(video, 0, 0, canvas.width, canvas.height);
    const picture = context.getImageData(0, 0, canvas.width, canvas.height);
    const found = await zxing.readBarcodes(picture, {
      formats: ['QRCode', 'Code128'],
      maxNumberOfSymbols: 1,
    });
    return found.map((code) => code.text);
  };
}

export const detector = async (): Promise<Detect> => (await nativeDetector()) ?? ownDetector();

export const openCamera = () =>
  navigator.mediaDevices.getUserMedia({
    audio: false,
    video: { facingMode: 'environment', width: { ideal: 1280 }, height: { ideal: 720 } },
  });
