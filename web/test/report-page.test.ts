import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import { timeMarks, valueMarks } from '../src/report/axes.ts';
import type { ReportData } from '../src/report/data.ts';
import { drivenBrowser } from './browser.mjs';
import { report, write } from './monitor/reports.ts';

const PAGES = join(process.cwd(), '.test/pages');
const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');
const FOLDER = mkdtempSync(join(tmpdir(), 'pando-report-'));

let browser: Browser;
before(async () => void (browser = await drivenBrowser()));
after(async () => {
  await browser.close();
  rmSync(FOLDER, { recursive: true });
});

/** Opens a report from the disk, without network; fails on errors and on requests. */
async function opened(
  data: ReportData,
  options: BrowserContextOptions,
  run: (page: Page) => Promise<void>,
) {
  const file = join(FOLDER, 'report.html');
  write(PAGES, file, data);
  const context = await browser.newContext({ timezoneId: 'UTC', offline: true, ...options });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('console', (message) => problems.push(message.text()));
  page.on('request', (request) => {
    const url = request.url();
    if (url !== pathToFileURL(file).href && !url.startsWith('data:')) problems.push(url);
  });
  try {
    await page.goto(pathToFileURL(file).href);
    await run(page);
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
  }
}

/** The text that people see, with common spaces. */
async function text(locator: Locator): Promise<string> {
  return (await locator.innerText()).replace(/\s+/g, ' ').trim();
}

const section = (page: Page, name: string) => page.getByRole('region', { name });

test('the figures of the summary are on the page', () =>
  opened(report(), {}, async (page) => {
    assert.equal(await page.title(), 'Mandelbrot, 1,000 frames · Pando report');
    assert.equal(
      await text(page.locator('.results-of-run .figures')),
      'Time 2 min 7 s Items/s 7.9 Speed 14.2 times one core Computed 998 ' +
        'Failed 2 11 failed attempts Helped by 7 devices',
    );
    assert.match(await text(section(page, 'What ran')), /Function 9f3c12ab44d0e17c Pando 0.1.0/);
    assert.match(await text(section(page, 'What ran')), /This machine's cores Node.js 20.19.1/);
    const failures = await text(section(page, 'Failures'));
    assert.match(failures, /2 failed items \(305, 401\), 11 failed attempts, 7 lent again/);
    assert.match(
      failures,
      /Item 401 · Grace’s MacBook · .* RangeError: Invalid array length Input/,
    );
  }));

test('the parts of the lost time are a table', () =>
  opened(report(), {}, async (page) => {
    const rows = await page.locator('.lost-time tbody tr').allInnerTexts();
    const parts = rows.map((row) => row.replace(/\s+/g, ' ').trim());
    assert.match(parts[0], /^Computing 29 min 83 % Calls that have ended/);
    assert.match(parts[1], /^No value left 2 min 40 s 7 %/);
    assert.equal(parts.length, 5);
  }));

test('a timeline shows when each device was connected', () =>
  opened(report(), {}, async (page) => {
    const ada = page.locator('.timelines li', { hasText: "Ada's phone" });
    assert.equal(await ada.locator('.track > div').count(), 2);
    assert.match(await ada.locator('.times').innerText(), /^21:46:48–21:47:18, 21:47:30–21:48:46$/);
  }));

test('what comes from devices is text', async () => {
  const data = report();
  const name = '<img src=x onerror=alert(1)></script><b>';
  data.snapshot.devices[0].name = name;
  data.snapshot.failures.last[0].message = name;
  data.snapshot.title = name;
  await opened(data, {}, async (page) => {
    assert.equal(await page.locator('h1').innerText(), name);
    assert.equal(await page.locator('tbody .name').first().innerText(), name);
    assert.equal(await page.locator('img, b').count(), 0);
  });
});

test('a run of less than a second has a report', () =>
  opened(
    report({ history: { interval: 1, samples: [] }, idle: [], stays: {} }),
    {},
    async (page) => {
      assert.match(await text(section(page, 'Over time')), /too short for plots/);
    },
  ));

test('axe finds nothing, and nothing is wider than a phone', async () => {
  for (const colorScheme of ['light', 'dark'] as const) {
    for (const width of [390, 1440]) {
      await opened(report(), { colorScheme, viewport: { width, height: 844 } }, async (page) => {
        const overflow = 'document.documentElement.scrollWidth - innerWidth';
        assert.equal(await page.evaluate(overflow), 0);
        await page.evaluate(AXE);
        const violations = await page.evaluate('axe.run().then(({ violations }) => violations)');
        const found = violations as { id: string; nodes: { html: string }[] }[];
        assert.deepEqual(
          found.map(({ id, nodes }) => [id, nodes.map(({ html }) => html)]),
          [],
          `${colorScheme}, ${width}`,
        );
      });
    }
  }
});

test('marks of axes are round and in their order', () => {
  assert.deepEqual(
    valueMarks(8.2, String)[1].map(({ text }) => text),
    ['0', '5', '10'],
  );
  assert.equal(valueMarks(0, String)[0] > 0, true);
  for (const length of [0.2, 7, 126, 5000, 90_000, 4_000_000]) {
    const marks = timeMarks(1_764_280_000.3, 1_764_280_000.3 + length);
    assert.ok(
      marks.length <= 7 && marks.every(({ place }) => place >= 0 && place <= 1),
      `${length}`,
    );
  }
});
