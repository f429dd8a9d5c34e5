import { gzipSync } from 'node:zlib';
import { minify } from 'terser';
import { build } from 'esbuild';
import { ownNames } from './names.mjs';
import { readTexts, numbersTexts } from './texts.mjs';
const z = (s) => gzipSync(s, { level: 9 }).length;
const L = await readTexts('src');
const names = ownNames('tsconfig.json');
const es = async (o = {}) =>
  (
    await build({
      bundle: true,
      charset: 'utf8',
      legalComments: 'none',
      define: { PANDO_VERSION: '"0.1.0"', PANDO_LANGUAGES: '"ar de en es fr hi pt zh"' },
      entryPoints: ['src/tab.ts'],
      write: false,
      format: 'iife',
      platform: 'browser',
      target: 'es2018',
      minify: true,
      mangleProps: new RegExp(`^(${names.join('|')})$`),
      banner: { js: 'self.globalThis=self;' },
      plugins: [numbersTexts(L)],
      ...o,
    })
  ).outputFiles[0].text;
const base = {
  passes: 3,
  inline: false,
  hoist_props: false,
  unsafe_arrows: true,
  keep_fargs: false,
  pure_getters: true,
};
const t = async (s, c = {}, o = {}) =>
  z((await minify(s, { ecma: 2018, compress: { ...base, ...c }, ...o })).code);
const s0 = await es();
for (const c of [
  {},
  { hoist_funs: true },
  { passes: 2 },
  { passes: 5 },
  { inline: 1 },
  { inline: 2 },
  { inline: 3 },
  { hoist_funs: true, inline: 1 },
  { reduce_funcs: false },
  { sequences: 5 },
  { sequences: false },
  { unsafe_methods: true },
  { unsafe_arrows: true, unsafe_methods: true },
  { unsafe_undefined: true },
  { unsafe_comps: true },
  { unsafe_math: true },
  { unsafe_proto: true },
  { booleans_as_integers: false },
  { keep_classnames: false },
  { comparisons: false },
  { conditionals: false, if_return: false },
  { join_vars: false },
  { hoist_vars: true },
  { collapse_vars: false },
  { toplevel: true },
  { module: true },
])
  console.log(JSON.stringify(c), await t(s0, c));
console.log('names', await t(await es({ plugins: [] })));
import { readFileSync } from 'node:fs';
const rep = (s) => {
  let i = 0;
  for (const w of [
    'connecting',
    'joined',
    'waiting',
    'missing',
    'away',
    'left',
    'done',
    'ended',
    'refused',
    'otherVersion',
    'otherFunction',
    'gone',
    'broken',
  ])
    s = s.split(`"${w}"`).join(String(++i));
  return s;
};
console.log('phases as numbers', z(rep((await minify(s0, { ecma: 2018, compress: base })).code)));
const rep2 = (s) => {
  let i = 0;
  for (const w of [
    'core',
    'died',
    'update',
    'leave',
    'hide',
    'rejoin',
    'wake',
    'start',
    'status',
    'make',
    'end',
    'dial',
    'reload',
    'opened',
    'channel',
    'open',
    'pieces',
    'closed',
  ])
    s = s.split(`"${w}"`).join(String(++i));
  return s;
};
console.log('and messages', z(rep2(rep((await minify(s0, { ecma: 2018, compress: base })).code))));
