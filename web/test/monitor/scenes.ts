/** Runs for tests and pictures of the monitoring page. All figures are the same each time. */

import type {
  DeviceFigures,
  FailedAttempt,
  HistoryData,
  HistorySample,
  PrintedLine,
  ShownResult,
  Snapshot,
} from '../../src/monitor/data.ts';

const STARTED = 1_764_280_000;
const NOW = STARTED + 214.5;

export function snapshot(changes: Partial<Snapshot> = {}): Snapshot {
  return {
    version: '0.1.0',
    title: 'render.js',
    from: '',
    command: 'pando render.js --stdin',
    volunteerUrls: ['http://192.168.1.12:5000/k7d2m9qx4t/'],
    now: NOW,
    started: STARTED,
    elapsed: NOW - STARTED,
    state: 'running',
    exitWords: '',
    why: '',
    progress: {
      done: 412,
      computed: 412,
      total: 1000,
      totalIsCertain: true,
      perSecond: 7.8,
      secondsLeft: 75.4,
    },
    window: { read: 470, output: 400, inProgress: 58, waiting: 12, limit: 65_536, blockedBy: null },
    failures: { items: 0, attempts: 0, lentAgain: 0, copies: 0, last: [] },
    devices: [],
    prints: [],
    ...changes,
  };
}

export function device(id: string, name: string, changes: Partial<DeviceFigures> = {}) {
  const figures: DeviceFigures = {
    id,
    name,
    kind: 'browser',
    browser: 'Chrome 156 on Android',
    path: 'websocket',
    connected: true,
    cores: 4,
    lent: 4,
    computing: 4,
    queued: 3,
    items: 100,
    share: 0.25,
    perSecond: 2.1,
    meanSeconds: 0.5,
    deviationSeconds: 0.1,
    roundTripSeconds: 0.003,
    bytesIn: 1000,
    bytesOut: 2000,
    failedAttempts: 0,
    busy: 0.93,
    since: NOW - 200,
    health: 'working',
    words: 'works',
    reports: [],
  };
  return { ...figures, ...changes };
}

const CREW: [name: string, share: number, changes: Partial<DeviceFigures>][] = [
  [
    'this machine',
    0.33,
    { kind: 'cores', browser: '', path: 'local', cores: 8, lent: 7, roundTripSeconds: 0.0002 },
  ],
  ["Ada's phone", 0.21, { cores: 8, lent: 4 }],
  ['Grace’s MacBook', 0.18, { browser: 'Safari 26 on macOS', cores: 8, lent: 7, path: 'direct' }],
  ['Linux Firefox', 0.12, { browser: 'Firefox 157 on Linux', roundTripSeconds: 0.0041 }],
  ['iPad Safari', 0.08, { browser: 'Safari 26 on iPadOS', cores: 4, lent: 2, queued: 1 }],
  [
    'Old Nexus in the kitchen',
    0.03,
    { browser: 'Chrome 71 on Android', meanSeconds: 3.42, deviationSeconds: 0.81, path: 'relay' },
  ],
];

/** Seven devices that compute, one of which has left. */
export function busy(): Snapshot {
  const devices = CREW.map(([name, share, changes], at) =>
    device(String(at + 1), name, {
      share,
      items: Math.round(share * 412),
      perSecond: share * 8.2,
      computing: changes.lent || 4,
      bytesIn: Math.round(share * 31_000_000),
      bytesOut: Math.round(share * 52_000),
      since: NOW - 212 + at * 17,
      ...changes,
    }),
  );
  devices.push(
    device('7', 'Windows Edge', {
      browser: 'Edge 156 on Windows',
      connected: false,
      health: 'gone',
      words: 'closed the page',
      items: 21,
      share: 0.05,
      perSecond: 0,
      computing: 0,
      queued: 0,
    }),
  );
  return snapshot({
    title: 'Mandelbrot, 1,000 frames',
    from: 'Erick',
    devices,
    prints: [
      print(1, 'this machine', 'log', 'tile 1 took 480 ms', 1),
      print(2, "Ada's phone", 'log', 'tile 212 took 1,204 ms', 212),
      print(3, 'Old Nexus in the kitchen', 'warn', 'no WebGL here: falls back to 2D', 215, 12),
      print(4, 'Grace’s MacBook', 'log', 'tile 388 took 312 ms', 388),
    ],
  });
}

/** The picture of `pando demo`. */
export const DEMO = { columns: 25, rows: 16 };

/** A demo, two thirds done by four devices; one of them has left. */
export function demo(): Snapshot {
  const [first, ada, grace, linux] = busy().devices;
  const left = { ...grace, connected: false, health: 'gone' as const, words: 'closed the page' };
  return snapshot({
    title: 'demo.js',
    command: 'pando demo',
    mosaic: DEMO,
    progress: {
      done: 262,
      computed: 262,
      total: 400,
      totalIsCertain: true,
      perSecond: 12.4,
      secondsLeft: 11.1,
    },
    window: { read: 270, output: 262, inProgress: 8, waiting: 0, limit: 65_536, blockedBy: null },
    devices: [first, ada, left, linux],
  });
}

/** Failed attempts, a paused device, an unfit device, and an item that blocks the output. */
export function failing(): Snapshot {
  const base = busy();
  const [first, ada, grace, linux, ipad, nexus, gone] = base.devices;
  const devices = [
    first,
    { ...ada, health: 'paused' as const, words: 'paused by you', computing: 0, perSecond: 0 },
    { ...grace, failedAttempts: 2 },
    linux,
    { ...ipad, health: 'stalled' as const, words: 'shows no work for 12 s', computing: 2 },
    { ...nexus, health: 'unfit' as const, words: 'fails what others compute', failedAttempts: 9 },
    gone,
  ];
  const perSecond = devices.reduce((sum, device) => sum + device.perSecond, 0);
  return {
    ...base,
    devices,
    progress: { ...base.progress, perSecond, secondsLeft: 588 / perSecond },
    window: {
      read: 1936,
      output: 400,
      inProgress: 58,
      waiting: 1478,
      limit: 2000,
      blockedBy: { item: 401, device: 'iPad Safari', seconds: 42.4 },
    },
    failures: { items: 2, attempts: 11, lentAgain: 7, copies: 1, last: attempts() },
  };
}

function attempts(): FailedAttempt[] {
  return [211, 212, 305, 306, 401].map((item, at) => ({
    number: 7 + at,
    time: NOW - 60 + at * 9,
    item,
    input: `{"frame":${item},"zoom":1.5}`,
    device: at < 4 ? 'Old Nexus in the kitchen' : 'Grace’s MacBook',
    message: at < 4 ? 'Error: WebGL is not available' : 'RangeError: Invalid array length',
    stack:
      at < 4
        ? 'Error: WebGL is not available\n    at context (render.js:12:11)\n    at render (render.js:48:3)'
        : 'RangeError: Invalid array length\n    at allocate (render.js:88:14)',
  }));
}

export function empty(): Snapshot {
  return snapshot({
    from: 'Erick',
    now: STARTED + 9,
    elapsed: 9,
    why: 'Nothing is computed: no device has joined.',
    progress: {
      done: 0,
      computed: 0,
      total: 1000,
      totalIsCertain: true,
      perSecond: 0,
      secondsLeft: null,
    },
    window: { read: 0, output: 0, inProgress: 0, waiting: 0, limit: 65_536, blockedBy: null },
  });
}

export function finished(): Snapshot {
  const base = busy();
  return {
    ...base,
    state: 'finished',
    exitWords: 'All items are done.',
    elapsed: 126.2,
    progress: {
      done: 1000,
      computed: 1000,
      total: 1000,
      totalIsCertain: true,
      perSecond: 0,
      secondsLeft: null,
    },
    window: { read: 1000, output: 1000, inProgress: 0, waiting: 0, limit: 65_536, blockedBy: null },
    devices: base.devices.map((device) => ({
      ...device,
      items: Math.round(device.share * 1000),
      connected: false,
      health: 'gone' as const,
      words: 'the run has ended',
      computing: 0,
      queued: 0,
      perSecond: 0,
    })),
  };
}

/** A run with so many devices. */
export function crowd(size: number): Snapshot {
  const devices = Array.from({ length: size }, (_, at) =>
    device(String(at + 1), `Phone ${at + 1}`, {
      cores: 4 + (at % 5),
      items: (at * 7919) % 997,
      since: NOW - at / 10,
    }),
  );
  const done = devices.reduce((sum, { items }) => sum + items, 0);
  for (const device of devices) {
    device.share = device.items / done;
    device.perSecond = device.share * 1950;
  }
  return snapshot({
    title: 'collatz.js',
    devices,
    progress: {
      done,
      computed: done,
      total: 2e6,
      totalIsCertain: false,
      perSecond: 1950,
      secondsLeft: 771,
    },
  });
}

/** The last `length` seconds before the snapshot. */
export function history(snapshot: Snapshot, length = 200): HistoryData {
  const samples = Array.from({ length }, (_, at) => sampleAt(snapshot, at, length));
  return { interval: 1, samples };
}

/** The sample of second `at` of `length`. Devices join one after the other, and waver. */
export function sampleAt(
  { devices, progress }: Snapshot,
  at: number,
  length: number,
): HistorySample {
  const byDevice: { [id: string]: number } = {};
  const largest = [...devices].sort((a, b) => b.share - a.share).slice(0, 30);
  const isLast = at === length - 1;
  largest.forEach(({ id, share, connected, perSecond }, place) => {
    const joined = (place * length) / (2 * largest.length);
    const left = connected ? Infinity : length * 0.8;
    if (at < joined || at > left) return;
    const waver = 0.18 * Math.sin(at / 7 + place * 2) + 0.05 * noise(at, place);
    byDevice[id] = isLast ? perSecond : share * progress.perSecond * (1 + waver);
  });
  const others = progress.perSecond * largest.reduce((rest, { share }) => rest - share, 1);
  if (devices.length > 30) byDevice[''] = others * Math.min(1, (at * 2) / length);
  const perSecond = Object.values(byDevice).reduce((sum, rate) => sum + rate, 0);
  const lent = devices.reduce((sum, device) => sum + (device.connected ? device.lent : 0), 0);
  const cores = Math.round(lent * Math.min(1, 0.2 + (at * 1.6) / length));
  return {
    time: NOW - length + at,
    done: Math.round((progress.done * at) / length),
    perSecond,
    busyCores: cores * (0.86 + 0.08 * noise(at, 99)),
    cores,
    inProgress: 58,
    waiting: 12,
    failedAttempts: 0,
    byDevice,
  };
}

/** A number from -1 to 1 that looks random. */
function noise(at: number, place: number): number {
  const x = Math.sin(at * 12.9898 + place * 78.233) * 43_758.5453;
  return 2 * (x - Math.floor(x)) - 1;
}

function print(
  number: number,
  device: string,
  level: string,
  text: string,
  item: number,
  count = 1,
): PrintedLine {
  return { number, time: NOW - 100 + number * 21, device, item, level, text, count };
}

/** A tile of a picture, as a result. */
export function tile(item: number, device: string): ShownResult {
  const hue = (item * 9) % 360;
  const svg =
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 96 64"><rect width="96" height="64" ` +
    `fill="hsl(${hue} 45% 30%)"/><circle cx="${20 + ((item * 13) % 56)}" cy="32" r="18" ` +
    `fill="hsl(${hue} 70% 65%)"/></svg>`;
  return {
    item,
    device,
    kind: 'image',
    value: `data:image/svg+xml;base64,${Buffer.from(svg).toString('base64')}`,
  };
}
