/** The texts of the page, in the language of its reader. Each language is a script of its own. */

import { loadScript } from './scripts.ts';
import type english from './texts/en.json';

/** The name of a text. The build checks that every language has the text, and puts numbers in place of names. */
export type TextName = keyof typeof english;

/** The forms of a text by plural category: `one`, `few`, `other` … */
type PluralForms = { [category: string]: string };

/** The texts of a language, by name or by number. */
export type Texts = { [name: string]: string | PluralForms };

/** The languages with texts, separated by spaces. */
declare const PANDO_LANGUAGES: string;

const AGAIN_MS = 2000;

let texts: Texts = {};
let language = 'en';

/** Sets the texts for `say`, and the language of texts and numbers. */
export function speak(given: Texts, inLanguage: string): void {
  texts = given;
  language = inLanguage;
}

/** The text `name`, with `n` and `more` in place of its `{n}` and `{text}`. */
export function say(name: TextName, n = 0, more = ''): string {
  const found = texts[name] || '';
  const text = typeof found === 'string' ? found : found[category(n)] || found['other'];
  return text.replace('{n}', grouped(n)).replace('{text}', () => more);
}

function category(n: number): string {
  return Intl.PluralRules ? new Intl.PluralRules(language).select(n) : n === 1 ? 'one' : 'other';
}

/** 1234567 → "1,234,567", as written in the page's language. */
export function grouped(n: number, options?: Intl.NumberFormatOptions): string {
  return n.toLocaleString(language, options);
}

/** The first of the `wanted` languages with texts; English if there is none. */
export function chosenLanguage(wanted: readonly string[]): string {
  const known = PANDO_LANGUAGES.split(' ');
  const short = wanted.map((one) => one.toLowerCase().split('-')[0]);
  return short.find((one) => known.includes(one)) || 'en';
}

/**
 * Loads the texts of a language; calls `done` as soon as they are there. The page computes
 * without them.
 */
export function loadTexts(folder: string, wanted: string, done: () => void): void {
  const fill = () => {
    speak((window as unknown as { pandoTexts: Texts }).pandoTexts, wanted);
    document.documentElement.lang = wanted;
    document.dir = say('direction');
    document
      .querySelectorAll<HTMLElement>('[data-text]')
      .forEach((element) => (element.textContent = say(element.dataset.text as TextName)));
    done();
  };
  const retry = () => setTimeout(() => loadTexts(folder, wanted, done), AGAIN_MS);
  loadScript(`${folder}texts-${wanted}.js`, fill, retry);
}
