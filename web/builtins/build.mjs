// Bundles Node's built-in modules for browsers: one CommonJS file per built-in. The code comes
// from the npm packages of browserify; src/ adds newer parts of Node's API. The files require each
// other as './NAME.js'; `util/types` is in util-types.js. web/package.json lists the packages. It
// lists bn.js only so that npm installs one copy of version 4 instead of six.
//
//     node builtins/build.mjs OUTDIR

import { existsSync, readFileSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { builtinModules } from 'node:module';
import path from 'node:path';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = path.dirname(fileURLToPath(import.meta.url));
const sources = path.join(here, 'src');

/**
 * The file of each built-in that defines a global, and the name of the global. Packages use these
 * globals.
 */
const injected = { buffer: 'Buffer', process: 'process', timers: 'setImmediate' };

/**
 * @param {string} outDir the folder of the files; created if missing
 * @returns {Promise<void>}
 */
export async function buildBuiltins(outDir) {
  await mkdir(outDir, { recursive: true });
  const names = (await readdir(sources))
    .filter((file) => file.endsWith('.js'))
    .map((file) => file.slice(0, -3));
  await Promise.all(names.sort().map((name) => buildOne(name, names, outDir)));
}

async function buildOne(name, names, outDir) {
  await build({
    entryPoints: [path.join(sources, `${name}.js`)],
    outfile: path.join(outDir, `${name}.js`),
    bundle: true,
    format: 'cjs',
    platform: 'browser',
    mainFields: ['browser', 'main'],
    target: 'es2018',
    charset: 'utf8',
    minify: true,
    keepNames: true,
    legalComments: 'inline',
    logLevel: 'warning',
    define: { global: 'globalThis', 'process.env.NODE_ENV': '"production"' },
    inject: Object.keys(injected)
      .filter((owner) => owner !== name)
      .map((owner) => `inject:${owner}`),
    plugins: [injections(), siblings(new Set(names))],
  });
}

/** Virtual modules which export one global each, for esbuild's `inject`. */
function injections() {
  return {
    name: 'injections',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^inject:/ }, ({ path }) => ({
        path: path.slice(7),
        namespace: 'inject',
        sideEffects: false,
      }));
      esbuild.onLoad({ filter: /.*/, namespace: 'inject' }, ({ path: owner }) => ({
        contents: injection(owner),
      }));
    },
  };
}

function injection(owner) {
  const name = injected[owner];
  return owner === 'process'
    ? "import process from 'process'; export { process }"
    : `import { ${name} } from '${owner}'; export { ${name} }`;
}

/** Leaves every required built-in outside of the file, because each built-in has its own file. */
function siblings(names) {
  return {
    name: 'siblings',
    setup(esbuild) {
      esbuild.onResolve({ filter: /^[^./\\]/ }, ({ path: wanted, importer, pluginData }) => {
        const name = siblingName(wanted);
        if (browserMap(path.dirname(importer))[wanted] !== undefined) return undefined;
        if (names.has(name)) return { path: `./${name}.js`, external: true, sideEffects: false };
        if (builtinModules.includes(name)) return { path: name, namespace: 'empty' };
        return undefined;
      });
      esbuild.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({
        contents: 'module.exports = {}',
      }));
      // In readable-stream, the browser form of Readable.from only throws, but the other form
      // works in browsers.
      esbuild.onResolve({ filter: /\/from$/ }, ({ resolveDir, path: wanted }) =>
        resolveDir.includes('readable-stream')
          ? { path: path.join(resolveDir, `${wanted}.js`) }
          : undefined,
      );
    },
  };
}

/**
 * The file in src/ for `node:util/types`, `util/` and the like. All streams come from one file.
 */
function siblingName(wanted) {
  const name = wanted.replace(/^node:/, '').replace(/\/$/, '');
  return name === 'readable-stream' ? 'stream' : name.replaceAll('/', '-');
}

/** The `browser` map of the package that owns `folder`. Its entries precede the built-ins. */
function browserMap(folder) {
  for (let at = folder; path.dirname(at) !== at; at = path.dirname(at)) {
    const manifest = path.join(at, 'package.json');
    if (!existsSync(manifest)) continue;
    const { browser } = JSON.parse(readFileSync(manifest, 'utf8'));
    return typeof browser === 'object' ? browser : {};
  }
  return {};
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outDir = process.argv[2];
  if (!outDir) {
    console.error('usage: node builtins/build.mjs OUTDIR');
    process.exit(2);
  }
  await buildBuiltins(outDir);
}
