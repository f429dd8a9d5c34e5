import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chosenLanguage, grouped, say, speak } from '../src/page/texts.ts';
import arabic from '../src/page/texts/ar.json';
import english from '../src/page/texts/en.json';
import { mistakesIn, numbered } from '../texts.mjs';

const checked = (texts: object, used = Object.keys(texts), english = texts) =>
  mistakesIn(
    new Map([
      ['en', english],
      ['ar', texts],
    ]),
    new Set(used),
  );

test('the first language with texts is chosen, and English without one', () => {
  assert.equal(chosenLanguage(['nl-BE', 'fr-CA', 'de']), 'fr');
  assert.equal(chosenLanguage(['ZH-Hans-CN']), 'zh');
  assert.equal(chosenLanguage(['tlh', '']), 'en');
  assert.equal(chosenLanguage([]), 'en');
});

test('texts have the plural form and the numbers of their language', () => {
  speak(english, 'en');
  assert.equal(say('totals', 1, '0:01'), 'This device did 1 item in 0:01.');
  assert.equal(say('totals', 1200, '$&'), 'This device did 1,200 items in $&.');
  assert.equal(grouped(0.123, { style: 'percent' }), '12%');
  speak(arabic, 'ar');
  assert.equal(say('finishing', 2), arabic.finishing.two);
  assert.equal(say('finishing', 3), arabic.finishing.few.replace('{n}', grouped(3)));
  assert.equal(say('finishing', 100), arabic.finishing.other.replace('{n}', grouped(100)));
  speak(english, 'en');
});

test('before its texts are loaded the page has empty texts', () => {
  speak({}, 'en');
  assert.equal(say('finishing', 2), '');
  speak(english, 'en');
});

test('a text that is missing, unknown or not used is a mistake', () => {
  assert.deepEqual(checked({ a: 'A' }), []);
  assert.deepEqual(checked({ a: 'A' }, ['a', 'b']), ['there is no "b"']);
  assert.deepEqual(checked({ a: 'A' }, []), ['"a" is not used']);
  assert.deepEqual(checked({}, ['a'], { a: 'A' }), ['ar.json: "a" is missing']);
  assert.deepEqual(checked({ a: 'A', b: 'B' }, ['a'], { a: 'A' }), [
    'ar.json: "b" is not in en.json',
  ]);
  assert.deepEqual(checked({ a: 'A {x}' }, ['a'], { a: 'A {n}' }), ['ar.json: "a" does not say n']);
});

test('a text needs all plural forms of its language', () => {
  const english = { a: { one: '{n} item', other: '{n} items' } };
  const forms = { zero: '0', one: '1', two: '2', few: '{n}', many: '{n}' };
  assert.deepEqual(checked({ a: { ...forms, other: '{n}' } }, ['a'], english), []);
  assert.match(checked({ a: forms }, ['a'], english)[0], /has not the forms/);
  assert.match(checked({ a: { ...forms, other: 'many' } }, ['a'], english)[0], /does not say n/);
  assert.match(checked({ a: { ...forms, few: '{m}', other: '{n}' } }, ['a'], english)[0], /{m}/);
  assert.match(checked({ a: '{n}' }, ['a'], english)[0], /plural forms in one language only/);
});

test('the script knows texts by number', () => {
  const languages = new Map([['en', { paused: 'Paused', left: 'Left' }]]);
  assert.equal(numbered("f(say('left'), say(\n 'paused'))", languages), 'f(say(1), say(\n 0))');
  assert.equal(numbered('<dt data-text="left"></dt>', languages), '<dt data-text=1></dt>');
});
