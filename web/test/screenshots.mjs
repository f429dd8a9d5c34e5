// Makes pictures of the pages, phone and wide, light and dark: node test/screenshots.mjs FOLDER
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { buildMonitor } from '../monitor.mjs';
import { buildReport } from '../report.mjs';
import { drivenBrowser } from './browser.mjs';
import { foundProgram, shootReadme } from './shots/readme.mjs';
import { shootLate } from './shots/late.mjs';
import { shootVolunteers } from './shots/volunteer.mjs';

const [target] = process.argv.slice(2);
if (!target) {
  console.error('usage: scripts/screenshots FOLDER');
  process.exit(2);
}
const root = fileURLToPath(new URL('..', import.meta.url));
const folder = resolve(target);
mkdirSync(folder, { recursive: true });
const wanted = process.env.SCENES && process.env.SCENES.split(',');
const isWanted = (scene) => !wanted || wanted.includes(scene);

/** Runs a script of Node's; this script ends if that one fails. */
function run(...words) {
  const { status } = spawnSync(process.execPath, words, { cwd: root, stdio: 'inherit' });
  if (status !== 0) process.exit(status ?? 1);
}

async function shootOwnerPages() {
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
  run('.test/shots.cjs', pages, folder);
}

/** Takes pictures that need the program. */
async function shootRun(browser, shoot) {
  const program = foundProgram();
  if (program) return shoot(browser, program, folder);
  console.error('some pictures are missing: build pando first (cargo build --release)');
  if (wanted) process.exitCode = 1;
}

const others = ['volunteer', 'late', 'readme'];
if (!wanted || wanted.some((scene) => !others.includes(scene))) await shootOwnerPages();
const browser = await drivenBrowser();
try {
  if (isWanted('volunteer')) {
    run('build.mjs', '.test/dist');
    await shootVolunteers(browser, `${root}.test/dist`, folder);
  }
  if (isWanted('late')) await shootRun(browser, shootLate);
  if (isWanted('readme')) await shootRun(browser, shootReadme);
} finally {
  await browser.close();
}
