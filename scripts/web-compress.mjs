// Puts a .br and a .gz beside each file of the built screens that gets smaller by it, so that the server need not
// pack anything while it answers. Pages are left out: each answer has a nonce of its own.
//
//     node scripts/web-compress.mjs web/dist
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

const KINDS = new Set([
  ".js",
  ".mjs",
  ".css",
  ".svg",
  ".json",
  ".webmanifest",
  ".wasm",
  ".txt",
]);
/** Below this a packed file saves no packet on the network. */
const LEAST = 1024;

const folder = process.argv[2];
if (!folder) throw new Error("name the folder of the built screens");

for (const entry of readdirSync(folder, {
  recursive: true,
  withFileTypes: true,
})) {
  const path = join(entry.parentPath ?? entry.path, entry.name);
  if (!entry.isFile() || !KINDS.has(extname(entry.name)) || path.includes("/."))
    continue;
  const plain = readFileSync(path);
  if (plain.length < LEAST) continue;
  const forms = {
    ".br": brotliCompressSync(plain, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
        [constants.BROTLI_PARAM_SIZE_HINT]: plain.length,
      },
    }),
    ".gz": gzipSync(plain, { level: 9 }),
  };
  for (const [suffix, packed] of Object.entries(forms)) {
    if (packed.length < plain.length) writeFileSync(path + suffix, packed);
  }
}
