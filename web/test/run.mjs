// Bundles the unit tests with esbuild and runs them with Node's own runner.
import { build } from 'esbuild';
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { buildMonitor } from '../monitor.mjs';
import { buildReport } from '../report.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const wanted = process.argv.slice(2);
const tests = readdirSync(new URL('.', import.meta.url))
  .filter((name) => name.endsWith('.test.ts'))
  .filter((name) => wanted.length === 0 || wanted.some((word) => name.includes(word)));

rmSync(`${root}.test`, { recursive: true, force: true });
await build({
  absWorkingDir: root,
  entryPoints: [...tests.map((name) => `test/${name}`), 'src/node.ts'],
  outdir: '.test',
  outbase: '.',
  outExtension: { '.js': '.cjs' },
  bundle: true,
  // These packages are loaded as they are: one is large, the other runs in the browser.
  external: ['playwright-core', 'axe-core'],
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  define: { PANDO_VERSION: '"0.0.0-test"', PANDO_LANGUAGES: '"ar de en es fr hi pt zh"' },
  sourcemap: 'inline',
  logLevel: 'warning',
});
await buildMonitor(`${root}.test/pages`);
await buildReport(`${root}.test/pages`);
const files = tests.map((name) => `.test/test/${name.replace(/\.ts$/, '.cjs')}`);
const { status } = spawnSync(process.execPath, ['--enable-source-maps', '--test', ...files], {
  cwd: root,
  stdio: 'inherit',
});
process.exitCode = status ?? 1;
