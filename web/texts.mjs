// The texts of the volunteer page: one file per language, in `src/page/texts/`. The page knows a text
// by its number, because numbers are shorter than names.
import { readFile, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** A use of a text in a script, and in the page. */
const USES = [/\bsay\(\s*'(\w+)'/g, /\bdata-text="(\w+)"/g];

/** Reads all texts, and checks that each is used and is there in every language. */
export async function readTexts(source) {
  const folder = join(source, 'page/texts');
  const files = (await readdir(folder)).filter((name) => name.endsWith('.json'));
  const languages = new Map();
  for (const file of files)
    languages.set(
      file.slice(0, -'.json'.length),
      JSON.parse(await readFile(join(folder, file), 'utf8')),
    );
  const mistakes = mistakesIn(languages, await usedNames(source));
  if (mistakes.length > 0) throw new Error(`texts of the page:\n  ${mistakes.join('\n  ')}`);
  return languages;
}

/** What is wrong with the texts, in words. `used`: the names of texts in scripts and page. */
export function mistakesIn(languages, used) {
  const english = languages.get('en');
  const names = Object.keys(english);
  const mistakes = [
    ...[...used].filter((name) => !names.includes(name)).map((name) => `there is no "${name}"`),
    ...names.filter((name) => !used.has(name)).map((name) => `"${name}" is not used`),
  ];
  for (const [language, texts] of languages) {
    for (const name of new Set([...names, ...Object.keys(texts)])) {
      const mistake = mistakeIn(texts[name], english[name], language);
      if (mistake) mistakes.push(`${language}.json: "${name}" ${mistake}`);
    }
  }
  return mistakes;
}

function mistakeIn(text, english, language) {
  if (text === undefined) return 'is missing';
  if (english === undefined) return 'is not in en.json';
  if (typeof text !== typeof english) return 'has plural forms in one language only';
  const forms = typeof text === 'string' ? { other: text } : text;
  const categories =
    typeof text === 'string'
      ? ['other']
      : new Intl.PluralRules(language).resolvedOptions().pluralCategories;
  if (Object.keys(forms).sort().join() !== [...categories].sort().join())
    return `has not the forms ${categories.join(', ')}`;
  const wanted = holes(typeof english === 'string' ? english : english.other);
  if (holes(forms.other).join() !== wanted.join()) return `does not say ${wanted.join(', ')}`;
  const odd = Object.values(forms).find(
    (form) => !form.trim() || !holes(form).every((hole) => wanted.includes(hole)),
  );
  return odd === undefined ? null : `has the form "${odd}"`;
}

/** The names in braces in a text, for example `n`. */
function holes(text) {
  return [...new Set(Array.from(text.matchAll(/\{(\w+)\}/g), ([, name]) => name))].sort();
}

async function usedNames(source) {
  const files = await readdir(source, { recursive: true });
  const used = new Set();
  for (const file of files.filter((name) => /\.(ts|html)$/.test(name))) {
    const text = await readFile(join(source, file), 'utf8');
    for (const use of USES) for (const [, name] of text.matchAll(use)) used.add(name);
  }
  return used;
}

/** The source of a script or page with numbers in place of the names of texts. */
export function numbered(source, languages) {
  const names = Object.keys(languages.get('en'));
  return USES.reduce(
    (text, use) =>
      text.replace(use, (all, name) => all.replace(/['"]\w+['"]$/, names.indexOf(name))),
    source,
  );
}

/** The plugin for esbuild with which scripts know texts by numbers. */
export function numbersTexts(languages) {
  return {
    name: 'texts',
    setup({ onLoad }) {
      onLoad({ filter: /[\\/](page[\\/]\w+|volunteer|share|screen)\.ts$/ }, async ({ path }) => ({
        contents: numbered(await readFile(path, 'utf8'), languages),
        loader: 'ts',
      }));
    },
  };
}

/** Writes one script for each language. */
export async function buildTexts(languages, outDir) {
  const names = Object.keys(languages.get('en'));
  for (const [language, texts] of languages) {
    const ordered = JSON.stringify(names.map((name) => texts[name]));
    await writeFile(join(outDir, `texts-${language}.js`), `pandoTexts=${ordered}\n`);
  }
}
