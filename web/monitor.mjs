// Builds the monitoring page.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const here = dirname(fileURLToPath(import.meta.url));

/** Writes `monitor.html`, `monitor.js` and `monitor.css` to `outDir`. */
export async function buildMonitor(outDir) {
  await mkdir(outDir, { recursive: true });
  await Promise.all([
    build({
      absWorkingDir: here,
      entryPoints: { monitor: 'src/monitor/main.tsx' },
      outdir: outDir,
      bundle: true,
      format: 'iife',
      platform: 'browser',
      target: 'es2020',
      jsx: 'automatic',
      jsxImportSource: 'preact',
      charset: 'utf8',
      minify: true,
      legalComments: 'none',
      logLevel: 'warning',
    }),
    build({
      absWorkingDir: here,
      entryPoints: { monitor: 'src/monitor/monitor.css' },
      outdir: outDir,
      bundle: true,
      minify: true,
      logLevel: 'warning',
    }),
    copyFile(join(here, 'src/monitor/monitor.html'), join(outDir, 'monitor.html')),
  ]);
}
