// Builds the scripts of native cores, which crates/pando-volunteer/scripts/ has as built files, so
// that a native volunteer is built without npm: node cores.mjs OUTDIR
import { build } from 'esbuild';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { shared } from './shared.mjs';

export async function buildCores(outDir) {
  const options = { ...shared, outdir: outDir };
  await build({
    ...options,
    entryPoints: { node: 'src/node.ts' },
    format: 'cjs',
    platform: 'node',
    target: 'node20',
  });
  await build({
    ...options,
    entryPoints: { embedded: 'src/embedded.ts' },
    format: 'iife',
    platform: 'neutral',
    // Scripts shared with tabs read a Blob by a `Response`, which functions do not find here.
    inject: ['src/embedded/response.ts'],
    target: 'es2022',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCores(resolve(process.argv[2]));
