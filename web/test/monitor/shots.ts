/** Takes pictures of the monitoring page and of a report: shots.cjs PAGES PICTURES */

import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import render from '../../../crates/pando/src/demo/demo.js';
import type { Snapshot } from '../../src/monitor/data.ts';
import type { ReportData } from '../../src/report/data.ts';
import { drivenBrowser } from '../browser.mjs';
import { longReport, report, shortReport, write } from './reports.ts';
import * as scenes from './scenes.ts';
import { ScriptedMaster } from './server.ts';

interface Scene {
  name: string;
  snapshot: Snapshot;
  fragment?: string;
  /** Brings the page into the state of the picture. */
  prepare?: (page: Page, master: ScriptedMaster) => Promise<void>;
}

const SCENES: Scene[] = [
  { name: 'busy', snapshot: scenes.busy() },
  { name: 'failing', snapshot: scenes.failing(), prepare: openFailure },
  { name: 'empty', snapshot: scenes.empty() },
  { name: 'finished', snapshot: scenes.finished() },
  { name: 'crowd', snapshot: scenes.crowd(1000) },
  { name: 'results', snapshot: scenes.busy(), prepare: showResults },
  { name: 'demo', snapshot: scenes.demo(), prepare: showPicture },
  { name: 'question', snapshot: scenes.busy(), prepare: askToStop },
  { name: 'lost', snapshot: scenes.busy(), prepare: lose },
  { name: 'big', snapshot: scenes.busy(), fragment: '#big' },
  { name: 'big-empty', snapshot: scenes.empty(), fragment: '#big' },
];

const SIZES = {
  phone: { width: 390, height: 844 },
  wide: { width: 1440, height: 900 },
};

async function main([pages, pictures]: string[]) {
  mkdirSync(pictures, { recursive: true });
  const wanted = process.env.SCENES
    ? process.env.SCENES.split(',')
    : SCENES.map(({ name }) => name);
  const browser = await drivenBrowser();
  for (const scene of SCENES.filter(({ name }) => wanted.includes(name))) {
    for (const size of ['phone', 'wide'] as const) {
      for (const colorScheme of ['light', 'dark'] as const) {
        const context = await browser.newContext({
          viewport: SIZES[size],
          colorScheme,
          timezoneId: 'UTC',
          reducedMotion: 'reduce',
        });
        const path = join(pictures, `monitor-${scene.name}-${size}-${colorScheme}.png`);
        await shoot(await context.newPage(), scene, pages, path);
        await context.close();
      }
    }
  }
  for (const [name, make] of Object.entries(REPORTS)) {
    if (process.env.SCENES && !wanted.includes(name)) continue;
    await shootReport(browser, name, make(), pages, pictures);
  }
  await browser.close();
}

async function shoot(page: Page, scene: Scene, pages: string, path: string) {
  const isEmpty = scene.snapshot.devices.length === 0;
  const history = isEmpty
    ? undefined
    : scenes.history(scene.name === 'finished' ? scenes.busy() : scene.snapshot);
  const master = new ScriptedMaster(pages, scene.snapshot, history);
  await page.goto((await master.listen()) + (scene.fragment || ''));
  await page.locator('.done').first().waitFor();
  if (scene.prepare) await scene.prepare(page, master);
  const isWhole = !scene.fragment && scene.name !== 'question' && scene.name !== 'crowd';
  await page.screenshot({ path, fullPage: isWhole });
  master.close();
  console.log(path);
}

const REPORTS = { report, 'report-short': shortReport, 'report-long': longReport };

/** A report on screens and on paper. */
async function shootReport(
  browser: Browser,
  name: string,
  data: ReportData,
  pages: string,
  pictures: string,
) {
  const file = join(pictures, `${name}.html`);
  write(pages, file, data);
  for (const size of ['phone', 'wide'] as const) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const page = await browser.newPage({
        viewport: SIZES[size],
        colorScheme,
        timezoneId: 'UTC',
      });
      await page.goto(pathToFileURL(file).href);
      const path = join(pictures, `${name}-${size}-${colorScheme}.png`);
      await page.screenshot({ path, fullPage: true });
      console.log(path);
      if (colorScheme === 'dark') await page.pdf({ path: join(pictures, `${name}-${size}.pdf`) });
      await page.close();
    }
  }
}

async function openFailure(page: Page) {
  await page.locator('.failures summary').first().click();
}

async function showResults(page: Page, master: ScriptedMaster) {
  await page.getByRole('button', { name: 'Show results' }).click();
  while (!master.hasResultReaders) await page.waitForTimeout(10);
  for (let item = 1; item <= 60; item++) {
    master.result(scenes.tile(item, String((item % 6) + 1)));
    if (item % 2) master.result({ item, device: '1', kind: 'number', value: Math.sin(item / 9) });
    if (item > 56) {
      master.result({ item: item + 5, device: '2', kind: 'text', value: `frame ${item}: ok` });
    }
  }
  await page.locator('.film li:nth-child(60)').waitFor();
}

/** Shows the tiles that are done, in a smaller picture than that of the demo. */
async function showPicture(page: Page, master: ScriptedMaster) {
  const { columns, rows } = scenes.DEMO;
  const [size, done] = [16, 262];
  while (!master.hasResultReaders) await page.waitForTimeout(10);
  for (let place = 0; place < done; place++) {
    const [x, y] = [(place % columns) * size, Math.floor(place / columns) * size];
    const tile = { x, y, size, width: columns * size, height: rows * size };
    const device = String((((place * 7919) % 31) % 4) + 1);
    const value = render(JSON.stringify(tile));
    master.result({ item: place + 1, device, kind: 'image', value });
  }
  await page.locator(`.tile:nth-child(${done})`).waitFor();
}

async function askToStop(page: Page) {
  await page.getByRole('button', { name: 'Stop' }).click();
}

async function lose(page: Page, master: ScriptedMaster) {
  master.isDown = true;
  master.drop();
  await page.getByText('next attempt in').waitFor();
}

void main(process.argv.slice(2));
