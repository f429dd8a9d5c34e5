// The monitoring page in a browser, with a scripted master behind it.
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before } from 'node:test';
import type { Browser, BrowserContextOptions, Locator, Page } from 'playwright-core';
import type { HistoryData, Snapshot } from '../../src/monitor/data.ts';
import { drivenBrowser } from '../browser.mjs';
import * as scenes from './scenes.ts';
import { ScriptedMaster } from './server.ts';

const PAGES = join(process.cwd(), '.test/pages');

let browser: Browser;
before(async () => void (browser = await drivenBrowser()));
after(() => browser.close());

interface Opened {
  page: Page;
  master: ScriptedMaster;
  url: string;
}

interface Options extends BrowserContextOptions {
  history?: HistoryData;
  fragment?: string;
  /** Whether the test moves the page's clock. */
  ownClock?: boolean;
}

/** Opens the page of a master that tells `snapshot`; fails on errors of the page's scripts. */
export async function opened(
  snapshot: Snapshot,
  { history, fragment = '', ownClock, ...options }: Options,
  run: (opened: Opened) => Promise<void>,
) {
  const master = new ScriptedMaster(PAGES, snapshot, history || scenes.history(snapshot));
  const url = await master.listen();
  const context = await browser.newContext({
    viewport: { width: 1440, height: 900 },
    timezoneId: 'UTC',
    reducedMotion: 'reduce',
    ...options,
  });
  const page = await context.newPage();
  const problems: string[] = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  page.on('request', (request) => {
    if (!/^(data|blob):/.test(request.url()) && !request.url().startsWith(url)) {
      problems.push(`a request to ${request.url()}`);
    }
  });
  if (ownClock) await page.clock.install();
  try {
    await page.goto(url + fragment);
    // The page waits a moment for events that come together.
    if (ownClock) await page.clock.runFor(1000);
    await page.locator('.done').first().waitFor();
    await run({ page, master, url });
    assert.deepEqual(problems, []);
  } finally {
    await context.close();
    master.close();
  }
}

/** The text that people see, with common spaces. */
export async function text(locator: Locator): Promise<string> {
  return (await locator.innerText()).replace(/\s+/g, ' ').trim();
}

export const section = (page: Page, name: string) => page.getByRole('region', { name });
export const row = (page: Page, name: string) => page.locator('tbody tr', { hasText: name });
export const names = (page: Page) => page.locator('tbody th').allInnerTexts();
