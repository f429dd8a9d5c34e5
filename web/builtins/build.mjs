// Prebundles Node's built-in modules for browsers: one CommonJS file for each built-in, from the npm
// packages that browserify chose, with what they lack of today's Node API added in src/.
// The files require each other as './NAME.js'; `util/types` is in util-types.js. web/package.json has
// the packages; bn.js is among them only so that npm installs one copy of its version 4 instead of six.
//
//     node builtins/build.mjs OUTDIR

import { existsSync, readFileSync } from 'node:fs'
import { mkdir, readdir } from 'node:fs/promises'
import { builtinModules } from 'node:module'
import path from 'node:path'
import process from 'node:process'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const here = path.dirname(fileURLToPath(import.meta.url))
const sources = path.join(here, 'src')

/** Globals that the packages use, and the built-ins that have them. */
const injected = { buffer: 'Buffer', process: 'process', timers: 'setImmediate' }

/**
 * @param {string} outDir a folder, made if it is missing
 * @returns {Promise<void>}
 */
export async function buildBuiltins (outDir) {
  await mkdir(outDir, { recursive: true })
  const names = (await readdir(sources)).filter(file => file.endsWith('.js')).map(file => file.slice(0, -3))
  await Promise.all(names.sort().map(name => buildOne(name, names, outDir)))
}

async function buildOne (name, names, outDir) {
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
    inject: Object.keys(injected).filter(owner => owner !== name).map(owner => `inject:${owner}`),
    plugins: [injections(), siblings(new Set(names))]
  })
}

/** Virtual modules that export a global, for esbuild's `inject`. */
function injections () {
  return {
    name: 'injections',
    setup (esbuild) {
      esbuild.onResolve({ filter: /^inject:/ }, ({ path }) => ({ path: path.slice(7), namespace: 'inject', sideEffects: false }))
      esbuild.onLoad({ filter: /.*/, namespace: 'inject' }, ({ path: owner }) => ({ contents: injection(owner) }))
    }
  }
}

function injection (owner) {
  const name = injected[owner]
  return owner === 'process'
    ? "import process from 'process'; export { process }"
    : `import { ${name} } from '${owner}'; export { ${name} }`
}

/** A built-in that another one requires stays outside: it has a file of its own. */
function siblings (names) {
  return {
    name: 'siblings',
    setup (esbuild) {
      esbuild.onResolve({ filter: /^[^./\\]/ }, ({ path: wanted, importer, pluginData }) => {
        const name = siblingName(wanted)
        if (browserMap(path.dirname(importer))[wanted] !== undefined) return undefined
        if (names.has(name)) return { path: `./${name}.js`, external: true, sideEffects: false }
        if (builtinModules.includes(name)) return { path: name, namespace: 'empty' }
        return undefined
      })
      esbuild.onLoad({ filter: /.*/, namespace: 'empty' }, () => ({ contents: 'module.exports = {}' }))
      // The package's browser form of Readable.from only throws; the other one works in browsers.
      esbuild.onResolve({ filter: /\/from$/ }, ({ resolveDir, path: wanted }) =>
        resolveDir.includes('readable-stream') ? { path: path.join(resolveDir, `${wanted}.js`) } : undefined)
    }
  }
}

/** `node:util/types` and `util/` as the name of a file in src/. One copy of the streams serves all. */
function siblingName (wanted) {
  const name = wanted.replace(/^node:/, '').replace(/\/$/, '')
  return name === 'readable-stream' ? 'stream' : name.replaceAll('/', '-')
}

/** What the package of a file in `folder` replaces in browsers: that comes before the built-ins. */
function browserMap (folder) {
  for (let at = folder; path.dirname(at) !== at; at = path.dirname(at)) {
    const manifest = path.join(at, 'package.json')
    if (!existsSync(manifest)) continue
    const { browser } = JSON.parse(readFileSync(manifest, 'utf8'))
    return typeof browser === 'object' ? browser : {}
  }
  return {}
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const outDir = process.argv[2]
  if (!outDir) {
    console.error('usage: node builtins/build.mjs OUTDIR')
    process.exit(2)
  }
  await buildBuiltins(outDir)
}
