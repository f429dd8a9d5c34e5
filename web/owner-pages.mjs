// What the builds of the pages for the owner of a run share.
import { readFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';

const LOCALE = "domEnv ? nav.language : 'en-US'";

/** uPlot formats numbers in the browser's language when it loads. Some browsers name a language
 * that they refuse there, such as `en-US@posix`; and these pages are in English. */
const plotsInEnglish = {
  name: 'plots in English',
  setup(build) {
    build.onLoad({ filter: /uPlot\.esm\.js$/ }, async ({ path }) => {
      const source = await readFile(path, 'utf8');
      if (!source.includes(LOCALE))
        throw new Error(`${path} does not choose its language as before`);
      return { contents: source.replace(LOCALE, () => "'en-US'"), loader: 'js' };
    });
  },
};

/** Options of esbuild for a script of such a page. */
export const ownerPage = {
  absWorkingDir: dirname(fileURLToPath(import.meta.url)),
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
  plugins: [plotsInEnglish],
};
