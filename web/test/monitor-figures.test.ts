import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookOf, otherLook } from '../src/monitor/colours.ts';
import { columnOf, columnsFor } from '../src/monitor/columns.ts';
import type { HistoryData, HistorySample, ShownResult } from '../src/monitor/data.ts';
import * as format from '../src/monitor/format.ts';
import { bounded, MOST_DEVICES, MOST_SAMPLES, withSample } from '../src/monitor/history.ts';
import { pauseAfter } from '../src/monitor/pause.ts';
import { ShownResults } from '../src/monitor/results.ts';
import { MOST_PARTS, partName, stackedRates } from '../src/monitor/series.ts';
import { FIRST_SORTING, sorted, sortedBy } from '../src/monitor/sorting.ts';
import { device } from './monitor/scenes.ts';

/** Spaces that do not break, as common spaces. */
const spaced = (text: string) => text.replace(/\u00a0/g, ' ');

test('numbers', () => {
  assert.deepEqual([0, 999, 1000, 1234567].map(format.whole), ['0', '999', '1,000', '1,234,567']);
  const rates = [0, 0.0341, 0.99, 1, 8.24, 99.96, 412.4, 12345].map(format.rate);
  assert.deepEqual(rates, ['0', '0.034', '0.99', '1.0', '8.2', '100', '412', '12,345']);
  const shares = [0, 0.004, 0.41, 0.999, 1].map(format.percent).map(spaced);
  assert.deepEqual(shares, ['0 %', '0.4 %', '41 %', '100 %', '100 %']);
  assert.deepEqual(
    [1, 2].map((n) => format.count(n, 'core')),
    ['1 core', '2 cores'],
  );
});

test('progress is rounded down, and says what is not certain', () => {
  const progress = {
    done: 999,
    computed: 999,
    total: 1000,
    totalIsCertain: true,
    perSecond: 1,
    secondsLeft: 1,
  };
  assert.equal(spaced(format.progressText(progress)), '999 of 1,000 (99 %)');
  const guessed = { ...progress, done: 412, totalIsCertain: false };
  assert.equal(spaced(format.progressText(guessed)), '412 of about 1,000 (41 %)');
  assert.equal(format.progressText({ ...progress, total: null }), '999 done');
  assert.equal(format.percentDone({ ...progress, done: 1001 }), 100);
  assert.equal(format.percentDone({ ...progress, done: 0, total: 0 }), 0);
});

test('durations are those of the terminal', () => {
  const texts = [0, 0.1, 59, 60, 599, 3599, 3600, 86_399, 90_000].map(format.duration);
  assert.deepEqual(texts.map(spaced), [
    '0 s',
    '1 s',
    '59 s',
    '1 min 0 s',
    '9 min 59 s',
    '59 min',
    '1 h 0 min',
    '23 h 59 min',
    '1 d 1 h',
  ]);
  const times = [null, 0.00025, 0.003, 0.32, 0.9999, 1.5, 61].map(format.precise);
  assert.deepEqual(times.map(spaced), [
    '–',
    '0.25 ms',
    '3.0 ms',
    '320 ms',
    '1.0 s',
    '1.5 s',
    '1 min 1 s',
  ]);
  assert.equal(spaced(format.meanAndDeviation(0.5, 0.1)), '500 ms ± 100 ms');
  assert.equal(spaced(format.meanAndDeviation(0.5, null)), '500 ms');
});

test('bytes', () => {
  const texts = [0, 820, 999.6, 1_200_000, 5e15].map(format.bytes).map(spaced);
  assert.deepEqual(texts, ['0 B', '820 B', '1.0 kB', '1.2 MB', '5.0 PB']);
});

test('marks of direction are left out where text cannot be isolated', () => {
  assert.equal(format.plain('a\u202egnp.exe\u2066\u2069\u200f'), 'agnp.exe');
});

test('the look of a device depends on its id alone, and 24 looks differ', () => {
  for (const dark of [false, true]) {
    const looks = Array.from({ length: 24 }, (_, id) => JSON.stringify(lookOf(String(id), dark)));
    assert.equal(new Set(looks).size, 24);
  }
  assert.deepEqual(lookOf('7', true), lookOf('7', true));
  assert.deepEqual(lookOf('', false), otherLook(false));
  assert.ok(lookOf('some name', false).colour);
});

test('each colour has a contrast of 3 to 1 with the background', () => {
  for (const [dark, back] of [
    [false, '#ffffff'],
    [true, '#1a211d'],
  ] as const) {
    for (let id = 0; id < 8; id++) {
      const { colour } = lookOf(String(id), dark);
      assert.ok(contrast(colour, back) >= 3, `${colour} on ${back}: ${contrast(colour, back)}`);
    }
  }
});

function contrast(a: string, b: string): number {
  const [light, deep] = [luminance(a), luminance(b)].sort((x, y) => y - x);
  return (light + 0.05) / (deep + 0.05);
}

function luminance(colour: string): number {
  const [r, g, b] = [1, 3, 5].map((at) => {
    const part = parseInt(colour.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : Math.pow((part + 0.055) / 1.055, 2.4);
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}

function sample(time: number, byDevice: { [id: string]: number }): HistorySample {
  const perSecond = Object.values(byDevice).reduce((sum, rate) => sum + rate, 0);
  const rest = { busyCores: 2, cores: 4, inProgress: 1, waiting: 0, failedAttempts: time };
  return { time, done: time * 10, perSecond, byDevice, ...rest };
}

test('a full history merges neighbours: rates become means, counts stay those of the later', () => {
  const samples = Array.from({ length: MOST_SAMPLES }, (_, at) => sample(at, { 1: at % 2 }));
  const full: HistoryData = { interval: 1, samples };
  const { interval, samples: merged } = withSample(full, sample(MOST_SAMPLES, { 2: 8 }));
  assert.equal(interval, 2);
  assert.equal(merged.length, MOST_SAMPLES / 2 + 1);
  assert.deepEqual(merged[0], { ...sample(1, {}), perSecond: 0.5, byDevice: { 1: 0.5 } });
  assert.deepEqual(merged[merged.length - 1], sample(MOST_SAMPLES, { 2: 8 }));
});

test('a device that joined between two samples counts as 0 before', () => {
  const samples = Array.from({ length: MOST_SAMPLES + 2 }, (_, at) =>
    sample(at, at % 2 ? { 1: 4, 2: 6 } : { 1: 2 }),
  );
  assert.deepEqual(bounded({ interval: 5, samples }).samples[0].byDevice, { 1: 3, 2: 3 });
});

test('a sample that comes again after a new connection is not counted twice', () => {
  const before: HistoryData = { interval: 1, samples: [sample(1, {}), sample(2, {})] };
  assert.equal(withSample(before, sample(2, {})), before);
  assert.equal(withSample(before, sample(3, {})).samples.length, 3);
});

test('samples of a second become parts of a longer interval', () => {
  let history: HistoryData = { interval: 4, samples: [sample(0, {}), sample(4, { 1: 2 })] };
  [8, 0, 4, 4].forEach((rate, at) => (history = withSample(history, sample(5 + at, { 1: rate }))));
  assert.deepEqual(
    history.samples.map(({ time }) => time),
    [0, 4, 8],
  );
  assert.deepEqual(history.samples[2].byDevice, { 1: 4 });
  assert.equal(withSample(history, sample(9, {})).samples.length, 4);
});

test('a day has the same resolution from its begin to its end', () => {
  let history: HistoryData = { interval: 1, samples: [] };
  for (let second = 1; second <= 86_400; second++) {
    history = withSample(history, sample(second, { 1: 3 }));
    assert.ok(history.samples.length <= MOST_SAMPLES);
  }
  const { interval, samples } = history;
  assert.ok(samples.length >= MOST_SAMPLES / 2);
  assert.ok(samples.every(({ perSecond }) => Math.abs(perSecond - 3) < 1e-9));
  const gaps = samples.slice(1).map(({ time }, at) => time - samples[at].time);
  assert.ok(Math.max(...gaps) <= interval * 1.5, `${Math.max(...gaps)} of ${interval}`);
});

test('devices that come and go for a day are few in each sample, and no result is lost', () => {
  let history: HistoryData = { interval: 1, samples: [] };
  for (let second = 1; second <= 86_400; second++) {
    const byDevice: { [id: string]: number } = { '': 1 };
    // 20,000 devices; each second, 30 of them are told apart.
    for (let place = 0; place < MOST_DEVICES; place++) {
      byDevice[1 + ((second + 667 * place) % 20_000)] = 1;
    }
    history = withSample(history, sample(second, byDevice));
  }
  for (const { byDevice, perSecond } of history.samples) {
    const rates = Object.values(byDevice);
    assert.ok(rates.length <= MOST_DEVICES + 1, `${rates.length}`);
    const sum = rates.reduce((sum, rate) => sum + rate, 0);
    assert.ok(Math.abs(sum - perSecond) < 1e-6, `${sum} of ${perSecond}`);
  }
});

test('throughput is stacked in the order of ids, with all other devices on top', () => {
  const samples = [sample(1, { 10: 1, 2: 2, '': 0.5 }), sample(2, { 2: 1, '': 1 })];
  assert.deepEqual(stackedRates(samples), {
    times: [1, 2],
    ids: ['2', '10', ''],
    rates: [
      [2, 1],
      [1, 0],
      [0.5, 1],
    ],
    edges: [
      [2, 1],
      [3, 1],
      [3.5, 2],
    ],
  });
});

test('only the devices with most items have a part of the plot for themselves', () => {
  const byDevice: { [id: string]: number } = {};
  for (let id = 1; id <= 30; id++) byDevice[id] = id;
  const { ids, rates, edges } = stackedRates([sample(1, byDevice)]);
  assert.equal(ids.length, MOST_PARTS + 1);
  assert.deepEqual([ids[0], ids[MOST_PARTS - 1], ids[MOST_PARTS]], ['19', '30', '']);
  assert.equal(edges[MOST_PARTS][0], (30 * 31) / 2);
  assert.equal(rates[MOST_PARTS][0], (18 * 19) / 2);
});

test('a part that would be too thin is with the others, unless it is new', () => {
  const many: { [id: string]: number } = { '': 970 };
  for (let id = 1; id <= 30; id++) many[id] = 1;
  const samples = [sample(1, many), sample(2, many)];
  const { ids, rates } = stackedRates(samples);
  assert.deepEqual([ids, rates], [[''], [[1000, 1000]]]);
  assert.equal(partName('', new Map(), ids), 'all devices');
  const later = stackedRates([...samples, sample(3, { ...many, 31: 100 })]);
  assert.deepEqual(later.ids, ['31', '']);
  assert.equal(partName('', new Map(), later.ids), 'other devices');
});

test('the table has the figures of a device as text', () => {
  const ada = device('3', "Ada's phone", { lent: 2, failedAttempts: 1 });
  const cells = columnsFor([ada]).map(({ title, text }) => [
    title,
    spaced(text(ada, 1764280214.5)),
  ]);
  assert.deepEqual(Object.fromEntries(cells), {
    Device: "Ada's phone",
    State: 'works',
    Kind: 'Chrome 156 on Android',
    Way: 'network',
    Cores: '2 of 4',
    Computing: '4',
    Queued: '3',
    Items: '100',
    Share: '25 %',
    'Items/s': '2.1',
    'Per item': '500 ms ± 100 ms',
    'Round trip': '3.0 ms',
    Data: '↓ 1.0 kB ↑ 2.0 kB',
    Failures: '1',
    'Here for': '3 min 20 s',
  });
});

test('what functions report has a column only if one reports', () => {
  const reports = { units: 'Mpixels', items: 12.5, cpuTime: 300, dataTransferTime: 12 };
  const reporting = device('1', 'A', { reports: [reports, { ...reports, units: 'MB', items: 3 }] });
  const column = columnsFor([reporting, device('2', 'B')]).pop()!;
  assert.equal(column.title, 'Reported');
  assert.deepEqual(
    [column.text(reporting, 0), column.text(device('2', 'B'), 0)],
    ['12.5 Mpixels, 3.0 MB', ''],
  );
  assert.notEqual(columnsFor([device('2', 'B')]).pop()!.title, 'Reported');
});

test('rows are sorted; devices without a value come last in both directions', () => {
  const devices = [
    device('1', 'b', { meanSeconds: 2 }),
    device('2', 'C', { meanSeconds: null }),
    device('10', 'a', { meanSeconds: 1 }),
    device('9', 'a', { meanSeconds: 1 }),
  ];
  const ids = (column: string, descending: boolean) =>
    sorted(devices, { column, descending }).map(({ id }) => id);
  assert.deepEqual(ids('name', false), ['9', '10', '1', '2']);
  assert.deepEqual(ids('name', true), ['2', '1', '9', '10']);
  assert.deepEqual(ids('mean', false), ['9', '10', '1', '2']);
  assert.deepEqual(ids('mean', true), ['1', '9', '10', '2']);
  for (const { key } of columnsFor(devices)) assert.equal(columnOf(key).key, key);
});

test('numbers are sorted from the largest first, names from A', () => {
  assert.deepEqual(sortedBy('items', FIRST_SORTING), { column: 'items', descending: false });
  assert.deepEqual(sortedBy('name', FIRST_SORTING), { column: 'name', descending: false });
  assert.deepEqual(sortedBy('rate', FIRST_SORTING), { column: 'rate', descending: true });
});

test('results are kept in the order of their items, within bounds', () => {
  const results = new ShownResults();
  const add = (item: number, kind: ShownResult['kind'], value: string | number) =>
    results.add({ item, device: '1', kind, value });
  [3, 1, 2, 3].forEach((item) => add(item, 'number', item * 10));
  assert.deepEqual(
    results.numbers.map(({ value }) => value),
    [10, 20, 30],
  );
  for (let item = 1; item <= 10_100; item++) add(item, 'number', item);
  assert.deepEqual([results.numbers.length, results.numbers[0].item], [10_000, 101]);
  for (let item = 1; item <= 510; item++) add(item, 'image', 'data:');
  assert.deepEqual([results.images.length, results.images[0].item], [500, 11]);
  const megabyte = 'x'.repeat(1 << 20);
  for (let item = 600; item < 700; item++) add(item, 'image', megabyte);
  assert.deepEqual([results.images.length, results.images[0].item], [64, 636]);
});

test('the pauses between attempts to connect grow up to half a minute', () => {
  assert.deepEqual([1, 2, 3, 6, 7, 100].map(pauseAfter), [0.5, 1, 2, 16, 30, 30]);
});
