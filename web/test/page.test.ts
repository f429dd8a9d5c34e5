import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guessedName } from '../src/page/name.ts';
import { coresToLend, folderOf, fragmentOptions, tokenOf } from '../src/page/options.ts';
import { Rate } from '../src/page/rate.ts';
import { grouped, speak } from '../src/page/texts.ts';
import english from '../src/page/texts/en.json';
import { logLine, rate, statusText } from '../src/page/words.ts';
import type { Path } from '../src/messages.ts';
import type { Phase } from '../src/page-messages.ts';

speak(english, 'en');

test('options of the fragment', () => {
  assert.deepEqual(fragmentOptions('#protocol=websocket;device=My_Phone;cores=2;'), {
    protocol: 'websocket',
    device: 'My Phone',
    cores: 2,
  });
  assert.deepEqual(fragmentOptions('#cores=3'), { cores: 3 });
  assert.deepEqual(fragmentOptions('#device=Z%C3%BCrich'), { device: 'Zürich' });
  assert.deepEqual(fragmentOptions('#device=50%;cores=many;nonsense;=;device'), { device: '50%' });
  assert.deepEqual(fragmentOptions(''), {});
});

test('addresses follow from the page', () => {
  assert.equal(
    folderOf('http://192.168.1.2:5000/k7d2/#cores=1/2'),
    'http://192.168.1.2:5000/k7d2/',
  );
  assert.equal(folderOf('https://x.example/?a/b'), 'https://x.example/');
  assert.equal(tokenOf('/k7d2/'), 'k7d2');
  assert.equal(tokenOf('/k7d2/index.html'), 'k7d2');
  assert.equal(tokenOf('/'), '');
});

test('all cores but one are lent, at least one', () => {
  assert.deepEqual(
    [
      coresToLend(undefined, 8),
      coresToLend(undefined, 1),
      coresToLend(undefined, undefined),
      coresToLend(3, 2),
      coresToLend(0, 8),
      coresToLend(1000, 8),
    ],
    [7, 1, 1, 3, 1, 64],
  );
});

test('names of devices', () => {
  const mozilla = 'Mozilla/5.0';
  const names: [agent: string, name: string, touch?: number][] = [
    [
      `${mozilla} (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36`,
      'Android Chrome',
    ],
    [
      `${mozilla} (Linux; Android 13; SM-G991B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/25.0 Chrome/121.0.0.0 Mobile Safari/537.36`,
      'Android Samsung Internet',
    ],
    [`${mozilla} (Android 14; Mobile; rv:127.0) Gecko/127.0 Firefox/127.0`, 'Android Firefox'],
    [
      `${mozilla} (iPhone; CPU iPhone OS 12_2 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1 Mobile/15E148 Safari/604.1`,
      'iPhone Safari',
    ],
    [
      `${mozilla} (iPhone; CPU iPhone OS 17_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/126.0.0.0 Mobile/15E148 Safari/604.1`,
      'iPhone Chrome',
    ],
    [
      `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15`,
      'iPad Safari',
      5,
    ],
    [
      `${mozilla} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/17.5 Safari/605.1.15`,
      'Mac Safari',
      0,
    ],
    [
      `${mozilla} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36 Edg/126.0.0.0`,
      'Windows Edge',
    ],
    [
      `${mozilla} (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Safari/537.36`,
      'Chromebook Chrome',
    ],
    [`${mozilla} (X11; Linux x86_64; rv:127.0) Gecko/20100101 Firefox/127.0`, 'Linux Firefox'],
    ['curl/8.0', 'Some device'],
  ];
  for (const [agent, name, touch] of names) assert.equal(guessedName(agent, touch), name);
});

test('every phase has words', () => {
  const phases: Phase[] = [
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
  ];
  for (const phase of phases) {
    const status = { phase, text: 'Because.', done: 1, errors: 0, held: 2, busy: 1 };
    assert.ok(
      statusText(status, { paused: false, lent: 2, active: true, dom: false }).title.length > 3,
    );
  }
});

test('how a device is connected is said while it is, and only where it is worth a word', () => {
  const page = { paused: false, lent: 1, active: true, dom: false };
  const status = { phase: 'joined' as Phase, text: '', done: 1, errors: 0, held: 2, busy: 1 };
  const plain = statusText(status, page).detail;
  const detail = (path: Path) => statusText({ ...status, path }, page).detail;
  assert.equal(detail('websocket'), plain);
  assert.equal(detail('direct'), `${plain} Connected directly.`);
  assert.equal(detail('turn'), `${plain} Connected through a TURN server.`);
  assert.equal(detail('relay'), `${plain} Connected through the relay.`);
  assert.match(
    statusText({ ...status, path: 'relay' }, { ...page, paused: true }).detail,
    /Finishing 2 items\. Connected/,
  );
  assert.doesNotMatch(
    statusText({ ...status, path: 'relay', phase: 'waiting' }, page).detail,
    /Connected/,
  );
});

test('numbers and lines', () => {
  assert.deepEqual(
    [0, 999, 1000, 1234567].map((n) => grouped(n)),
    ['0', '999', '1,000', '1,234,567'],
  );
  assert.deepEqual(
    [0, 0.0213, 3.14159, 10, 12345.6].map((n) => rate(n)),
    ['0', '0.021', '3.1', '10', '12,346'],
  );
  assert.equal(logLine({ level: 'log', text: 'a', id: 0, count: 1200 }), 'item 1: a (1,200 times)');
  assert.equal(logLine({ level: 'log', text: 'a' }), 'a');
});

test('the rate is that of the last seconds', () => {
  const speed = new Rate();
  for (let second = 0; second <= 20; second++) speed.sample(second * 1000, second * 10);
  assert.equal(Math.round(speed.sample(21_000, 210)), 10);
  for (let second = 22; second <= 40; second++) speed.sample(second * 1000, 210);
  assert.equal(speed.sample(41_000, 210), 0);
});
