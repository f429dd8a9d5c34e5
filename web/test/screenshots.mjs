// Makes pictures of the pages, phone and wide, light and dark: node test/screenshots.mjs FOLDER
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildMonitor } from '../monitor.mjs';
import { buildReport } from '../report.mjs';

const [folder] = process.argv.slice(2);
if (!folder) {
  console.error('usage: scripts/screenshots FOLDER');
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const pages = `${root}.test/pages`;
await buildMonitor(pages);
await buildReport(pages);
await build({
  absWorkingDir: root,
  entryPoints: ['test/monitor/shots.ts'],
  outfile: '.test/shots.cjs',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  external: ['playwright-core'],
  logLevel: 'warning',
});
const { status } = spawnSync(process.execPath, [`${root}.test/shots.cjs`, pages, resolve(folder)], {
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
