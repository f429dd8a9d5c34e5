import assert from 'node:assert/strict';
import { test } from 'node:test';
import { guessedName } from '../src/page/name.ts';
import { coresToLend, folderOf, fragmentOptions, tokenOf } from '../src/page/options.ts';
import { grouped, speak } from '../src/page/texts.ts';
import english from '../src/page/texts/en.json';
import { clock, logLine, statusText } from '../src/page/words.ts';
import type { PageState } from '../src/page/words.ts';
import type { Path } from '../src/messages.ts';
import { Phase } from '../src/page-messages.ts';
import type { LinkStatus } from '../src/page-messages.ts';
import { Awake } from '../src/page/awake.ts';
import { History } from '../src/page/history.ts';
import { Pause } from '../src/page/pause.ts';

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

test('half of the cores are lent on phones and on battery, unless the person has chosen', () => {
  const spared = (asked: number | undefined, hardware: number | undefined) =>
    coresToLend(asked, hardware, false, true);
  assert.deepEqual(
    [spared(undefined, 8), spared(undefined, 3), spared(undefined, undefined), spared(6, 8)],
    [4, 1, 1, 6],
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

const STATUS: LinkStatus = {
  phase: Phase.Joined,
  text: '',
  done: 1,
  errors: 0,
  held: 2,
  busy: 1,
  lost: 0,
};

const page = (state: Partial<PageState> = {}): PageState => ({
  pause: new Pause(),
  lent: 2,
  active: true,
  dom: false,
  done: 1,
  time: '0:00:07',
  share: '',
  ...state,
});

test('every phase has words', () => {
  for (let phase = Phase.Connecting; phase <= Phase.Broken; phase++) {
    const { title, detail } = statusText({ ...STATUS, phase, text: 'Because.' }, page());
    assert.ok(title.length > 3 && !/[{}]/.test(title + detail), `${phase}: ${title} ${detail}`);
  }
  assert.equal(
    statusText({ ...STATUS, phase: Phase.Waiting, text: 'No network.' }, page()).detail,
    'No network. Trying again by itself.',
  );
  assert.equal(
    statusText({ ...STATUS, phase: Phase.Broken, text: 'SyntaxError\n  var a = ;' }, page()).detail,
    'SyntaxError\n  var a = ;',
  );
});

test('how a device is connected is said while it is, and only where it is worth a word', () => {
  const plain = statusText(STATUS, page()).detail;
  const detail = (path: Path) => statusText({ ...STATUS, path }, page()).detail;
  assert.equal(detail('websocket'), plain);
  assert.equal(detail('direct'), `${plain} Connected directly.`);
  assert.equal(detail('turn'), `${plain} Connected through a TURN server.`);
  assert.equal(detail('relay'), `${plain} Connected through the relay.`);
  const pause = new Pause();
  pause.toggle();
  assert.match(
    statusText({ ...STATUS, path: 'relay' }, page({ pause })).detail,
    /Finishing 2 items\. Connected/,
  );
  assert.doesNotMatch(
    statusText({ ...STATUS, path: 'relay', phase: Phase.Waiting }, page()).detail,
    /Connected/,
  );
});

test('at the end the page thanks with the totals, if there are any', () => {
  const done = { ...STATUS, phase: Phase.Done };
  assert.equal(
    statusText(done, page({ done: 1200, time: clock(3725), share: '12%' })).detail,
    'This device did 1,200 items in 1:02:05. That is 12% of all. You can close this page now.',
  );
  assert.equal(statusText(done, page({ done: 0 })).detail, 'You can close this page now.');
  assert.equal(
    statusText({ ...STATUS, phase: Phase.Left }, page()).detail.trim(),
    'Thank you for your help! This device did 1 item in 0:00:07.',
  );
});

test('a low battery pauses a device until it charges, or its person resumes', () => {
  const pause = new Pause();
  pause.setBattery(0.21, false);
  assert.equal(pause.isOn, false);
  pause.setBattery(0.19, false);
  assert.equal(pause.byBattery, true);
  assert.match(statusText(STATUS, page({ pause })).detail, /^The battery is low\./);
  pause.setBattery(0.19, true);
  assert.equal(pause.isOn, false);
  pause.setBattery(0.19, false);
  pause.toggle();
  assert.equal(pause.isOn, false);
  pause.setBattery(0.1, false);
  assert.equal(pause.isOn, false, 'the person has decided');
  pause.toggle();
  pause.setBattery(0.1, true);
  assert.equal(pause.isOn, true, 'a pause of the person does not end with the battery');
});

/** Counts locks instead of taking them. */
class FakeScreen {
  asked = 0;
  released = 0;
  fails = false;
  readonly awake = new Awake(() => {
    this.asked++;
    if (this.fails) return Promise.reject(new Error('not now'));
    return Promise.resolve({ release: () => (this.released++, Promise.resolve()) });
  });

  async set(wanted: boolean): Promise<number[]> {
    this.awake.set(wanted);
    await new Promise((resolve) => setImmediate(resolve));
    return [this.asked, this.released];
  }
}

test('the screen has one lock while it is wanted', async () => {
  const screen = new FakeScreen();
  assert.deepEqual(await screen.set(false), [0, 0]);
  assert.deepEqual(await screen.set(true), [1, 0]);
  assert.deepEqual(await screen.set(true), [1, 0]);
  assert.deepEqual(await screen.set(false), [1, 1]);
  assert.deepEqual(await screen.set(true), [2, 1]);
});

test('a lock that is refused is asked for again', async () => {
  const screen = new FakeScreen();
  screen.fails = true;
  assert.deepEqual(await screen.set(true), [1, 0]);
  screen.fails = false;
  assert.deepEqual(await screen.set(true), [2, 0]);
  assert.deepEqual(await screen.set(false), [2, 1]);
});

test('numbers and lines', () => {
  assert.deepEqual(
    [0, 999, 1000, 1234567].map((n) => grouped(n)),
    ['0', '999', '1,000', '1,234,567'],
  );
  assert.deepEqual([0, 59.9, 3600, 100_000].map(clock), [
    '0:00:00',
    '0:00:59',
    '1:00:00',
    '27:46:40',
  ]);
  assert.equal(logLine({ level: 'log', text: 'a', id: 0, count: 1200 }), 'item 1: a (1,200 times)');
  assert.equal(logLine({ level: 'log', text: 'a' }), 'a');
});

test('the rate is that of the last seconds', () => {
  const history = new History();
  const rate = (second: number, done: number) =>
    Math.round(history.sample(second * 1000, done).perSecond);
  for (let second = 0; second <= 20; second++) rate(second, second * 10);
  assert.equal(rate(21, 210), 10);
  for (let second = 22; second <= 40; second++) rate(second, 210);
  assert.equal(rate(41, 210), 0);
});

test('the picture shows the last five minutes, as high as the best of them', () => {
  const history = new History();
  assert.equal(history.sample(0, 0).path, 'M0 16v-0');
  assert.equal(history.sample(4000, 4).path, 'M0 16v-16');
  history.sample(6000, 4);
  assert.equal(history.sample(7000, 6).path, 'M0 16v-8M-1 16v-16');
  history.sample(300_000, 6);
  assert.equal(history.sample(300_001, 6).path.match(/M/g)!.length, 60);
  history.sample(400_000, 6);
  assert.doesNotMatch(history.sample(400_001, 6).path, /v-[1-9]/);
});
