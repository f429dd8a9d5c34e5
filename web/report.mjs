// Builds the page of reports: one file, into which a master writes its data.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownerPage } from './owner-pages.mjs';

const here = dirname(fileURLToPath(import.meta.url));

/** Writes `report.html` to `outDir`. */
export async function buildReport(outDir) {
  await mkdir(outDir, { recursive: true });
  const [html, script, style] = await Promise.all([
    readFile(join(here, 'src/report/report.html'), 'utf8'),
    bundle('src/report/main.tsx'),
    bundle('src/report/report.css'),
  ]);
  const hash = createHash('sha256').update(script).digest('base64');
  const page = html
    .replace('script hash', () => `sha256-${hash}`)
    .replace('/* style */', () => style)
    .replace('/* script */', () => script);
  await writeFile(join(outDir, 'report.html'), page);
}

async function bundle(entry) {
  const { outputFiles } = await build({ ...ownerPage, entryPoints: [entry], write: false });
  return outputFiles[0].text.trim();
}
