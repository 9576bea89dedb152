// The encoder alone, without what draws it.
declare module 'jsbarcode/bin/barcodes/CODE128/CODE128C.js' {
  interface Encoder {
    new (digits: string, options: object): { encode(): { data: string } };
  }
  const code128: Encoder | { default: Encoder };
  export default code128;
}
