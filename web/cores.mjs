// Builds the scripts of native cores, which crates/pando-volunteer/scripts/ has as built files, so
// that a native volunteer is built without npm: node cores.mjs OUTDIR
import { build } from 'esbuild';
import { readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

export async function buildCores(outDir) {
  const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));
  const shared = {
    bundle: true,
    absWorkingDir: here,
    define: { PANDO_VERSION: JSON.stringify(version) },
    charset: 'utf8',
    legalComments: 'none',
    logLevel: 'warning',
    outdir: outDir,
  };
  await build({
    ...shared,
    entryPoints: { node: 'src/node.ts' },
    format: 'cjs',
    platform: 'node',
    target: 'node20',
  });
  await build({
    ...shared,
    entryPoints: { embedded: 'src/embedded.ts' },
    format: 'iife',
    platform: 'neutral',
    target: 'es2022',
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await buildCores(resolve(process.argv[2]));
