// Builds the monitoring page.
import { build } from 'esbuild';
import { copyFile, mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownerPage } from './owner-pages.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** Writes `monitor.html`, `monitor.js` and `monitor.css` to `outDir`. */
export async function buildMonitor(outDir) {
  await mkdir(outDir, { recursive: true });
  await Promise.all([
    build({ ...ownerPage, entryPoints: { monitor: 'src/monitor/main.tsx' }, outdir: outDir }),
    build({ ...ownerPage, entryPoints: { monitor: 'src/monitor/monitor.css' }, outdir: outDir }),
    copyFile(join(here, 'src/monitor/monitor.html'), join(outDir, 'monitor.html')),
  ]);
}
