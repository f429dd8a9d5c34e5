// Builds all files for master and relay, which embed and serve them: node build.mjs OUTDIR
import { build } from 'esbuild';
import { existsSync } from 'node:fs';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { minify } from 'terser';
import { buildCores } from './cores.mjs';
import { buildMonitor } from './monitor.mjs';
import { ownNames } from './names.mjs';
import { buildReport } from './report.mjs';
import { here, shared } from './shared.mjs';
import { buildTexts, numbered, numbersTexts, readTexts } from './texts.mjs';

const LIMIT = 20 * 1024;

// Safari 12 has no `globalThis`, only `self`.
const globalThisFirst = 'self.globalThis=self;';

async function buildBrowser(outDir, languages) {
  const { outputFiles } = await build({
    ...shared,
    define: { ...shared.define, PANDO_LANGUAGES: JSON.stringify([...languages.keys()].join(' ')) },
    entryPoints: ['src/tab.ts'],
    write: false,
    format: 'iife',
    platform: 'browser',
    target: 'es2018',
    minify: true,
    mangleProps: new RegExp(`^(${ownNames(join(here, 'tsconfig.json')).join('|')})$`),
    banner: { js: globalThisFirst },
    plugins: [numbersTexts(languages)],
  });
  const { code } = await minify(outputFiles[0].text, {
    ecma: 2018,
    compress: {
      passes: 3,
      inline: false,
      hoist_props: false,
      keep_fargs: false,
      pure_getters: true,
      unsafe_arrows: true,
    },
  });
  await writeFile(join(outDir, 'page.js'), code);
}

/**
 * The scripts that the page loads when they are needed: for assets, about the screen, and for
 * sharing.
 */
async function buildExtras(outDir, languages) {
  await build({
    ...shared,
    entryPoints: ['src/assets.ts', 'src/share.ts', 'src/screen.ts'],
    plugins: [numbersTexts(languages)],
    outdir: outDir,
    format: 'iife',
    platform: 'browser',
    target: 'es2018',
    minify: true,
  });
}

async function buildPage(outDir, languages) {
  const html = numbered(await readFile(join(here, 'src/index.html'), 'utf8'), languages);
  const { outputFiles } = await build({
    ...shared,
    entryPoints: ['src/style.css'],
    write: false,
    minify: true,
    // esbuild warns about CSS which old phones do not know, for example a flex gap or `inset`.
    target: ['chrome71', 'firefox79', 'safari12'],
  });
  const style = outputFiles[0].text.trim();
  await writeFile(
    join(outDir, 'index.html'),
    minifiedHtml(html).replace('/* style */', () => style),
  );
}

/** Tags that a browser adds by itself, with the line breaks after them. */
const OPTIONAL = /<(body|\/(p|dt|dd|head|body|html))>\n?/g;

function minifiedHtml(html) {
  return html
    .replace(/<!--[^]*?-->\s*/g, '')
    .replace(/^\s+/gm, '')
    .replace(OPTIONAL, '')
    .replace(/="([\w-]+)"/g, '=$1');
}

async function buildBuiltins(outDir) {
  const script = join(here, 'builtins/build.mjs');
  if (!existsSync(script)) return;
  const builtins = await import(pathToFileURL(script).href);
  await builtins.buildBuiltins(join(outDir, 'builtins'));
}

/**
 * Prints the gzipped size of a tab without its texts and the user's function, and fails above the
 * limit.
 */
async function weigh(outDir) {
  let total = 0;
  for (const name of ['index.html', 'page.js']) {
    const bytes = await readFile(join(outDir, name));
    const zipped = gzipSync(bytes, { level: 9 }).length;
    total += zipped;
    console.log(
      `${name.padEnd(12)} ${String(bytes.length).padStart(7)} bytes ${String(zipped).padStart(6)} gzipped`,
    );
  }
  console.log(`${'a tab loads'.padEnd(12)} ${String(total).padStart(20)} of ${LIMIT} gzipped`);
  if (total > LIMIT)
    throw new Error(`the volunteer page has ${total} bytes gzipped: more than ${LIMIT}`);
}

const outDir = resolve(process.argv[2] || 'dist');
await mkdir(outDir, { recursive: true });
const languages = await readTexts(join(here, 'src'));
await Promise.all([
  buildBrowser(outDir, languages),
  buildExtras(outDir, languages),
  buildCores(join(outDir, 'cores')),
  buildPage(outDir, languages),
  buildTexts(languages, outDir),
  buildBuiltins(outDir),
  buildMonitor(outDir),
  buildReport(outDir),
]);
await weigh(outDir);
