import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import decodeQR from 'qr/decode.js';
import type { Locator, Page } from 'playwright-core';
import { eventually } from './monitor/eventually.ts';
import { names, opened, row, section, text } from './monitor/page.ts';
import * as scenes from './monitor/scenes.ts';

const AXE = readFileSync(require.resolve('axe-core/axe.min.js'), 'utf8');

test('results show on request: images in the order of items, numbers and text', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    assert.ok(!master.hasResultReaders);
    await page.getByRole('button', { name: 'Show results' }).click();
    await eventually(() => master.hasResultReaders);
    master.result(scenes.tile(3, '2'), scenes.tile(1, '1'), scenes.tile(2, '3'));
    master.result({ item: 4, device: '1', kind: 'number', value: 1.25 });
    master.result({ item: 5, device: '1', kind: 'text', value: '<b>five</b>' });
    master.lose(7);
    const results = section(page, 'Results');
    await results.getByRole('img', { name: "Item 3, by Ada's phone" }).waitFor();
    const labels = await results
      .locator('.film img')
      .evaluateAll((all) =>
        all.map((one) => [one.getAttribute('alt'), (one as HTMLImageElement).naturalWidth > 0]),
      );
    assert.deepEqual(labels, [
      ['Item 1, by this machine', true],
      ['Item 2, by Grace’s MacBook', true],
      ["Item 3, by Ada's phone", true],
    ]);
    const frame = (item: number) =>
      results
        .locator(`.film li:nth-child(${item})`)
        .evaluate((element) => getComputedStyle(element).backgroundColor);
    const swatch = await row(page, 'this machine')
      .locator('.swatch')
      .evaluate((element) => getComputedStyle(element).backgroundColor);
    assert.equal(await frame(1), swatch);
    assert.notEqual(await frame(2), swatch);
    assert.match(await text(results), /7 results came too quickly/);
    assert.match(await text(results), /item 4: 1\.25/);
    assert.match(await text(results), /5 this machine <b>five<\/b>/);
    await page.getByRole('button', { name: 'Hide results' }).click();
    await eventually(() => !master.hasResultReaders);
  }));

test('a picture in tiles shows at once, each tile in its place and in the look of its device', () =>
  opened({ ...scenes.busy(), mosaic: { columns: 3, rows: 2 } }, {}, async ({ page, master }) => {
    await eventually(() => master.hasResultReaders);
    master.result(scenes.tile(6, '7'), scenes.tile(1, '1'), scenes.tile(2, '3'));
    const card = section(page, 'Picture');
    const picture = card.getByRole('img', { name: 'The picture: 3 of 6 tiles' });
    await picture.waitFor();
    const tiles = await picture.locator('.tile').evaluateAll((all) =>
      all.map((one) => {
        const { gridColumnStart, gridRowStart } = getComputedStyle(one);
        return [gridColumnStart, gridRowStart, one.querySelector('img')!.naturalWidth > 0];
      }),
    );
    assert.deepEqual(tiles, [
      ['1', '1', true],
      ['2', '1', true],
      ['3', '2', true],
    ]);
    const colour = (element: Element) => getComputedStyle(element).backgroundColor;
    const swatch = await row(page, 'this machine').locator('.swatch').evaluate(colour);
    assert.equal(await picture.locator('.tile').first().evaluate(colour), swatch);
    const painters = await text(card.getByRole('list', { name: 'Tiles by device' }));
    assert.match(painters, /this machine 1 Ada's phone 0 .* Windows Edge 1 \(has left\)/);
    await card.getByRole('button', { name: 'Hide frames' }).click();
    await card.getByRole('button', { name: 'Show frames' }).waitFor();
    assert.equal(await section(page, 'Results').count(), 0);
  }));

test('before the first device, the page says how a device joins', () =>
  opened(scenes.empty(), {}, async ({ page, master }) => {
    const url = 'http://192.168.1.12:5000/k7d2m9qx4t/';
    const invitation = section(page, 'Add the first device');
    assert.equal(await invitation.getByRole('link').getAttribute('href'), url);
    const code = invitation.getByRole('img', { name: `QR code of ${url}` });
    assert.equal(await decoded(code), url);
    assert.equal(await text(page.locator('.why')), 'Nothing is computed: no device has joined.');
    master.tell(scenes.busy());
    await section(page, 'Add a device').waitFor();
    assert.equal((await names(page)).length, 6);
  }));

/** The text of a QR code that is drawn as squares of size 1. */
async function decoded(code: Locator): Promise<string> {
  const [, , side] = (await code.getAttribute('viewBox'))!.split(' ').map(Number);
  const path = (await code.locator('path').getAttribute('d'))!;
  const scale = 4;
  const width = side * scale;
  const data = new Uint8Array(width * width).fill(255);
  for (const [, x, y] of path.matchAll(/M(\d+) (\d+)h1v1h-1z/g)) {
    for (let row = 0; row < scale; row++) {
      const start = (Number(y) * scale + row) * width + Number(x) * scale;
      data.fill(0, start, start + scale);
    }
  }
  const pixels = Uint8Array.from({ length: data.length * 4 }, (_, at) => data[at >> 2]);
  return decodeQR({ width, height: width, data: pixels });
}

test('the big view has the QR code, the address, the devices and the progress', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    await page.getByRole('link', { name: 'Big view' }).click();
    await page.getByRole('heading', { name: 'Join with your device' }).waitFor();
    assert.match(page.url(), /#big$/);
    await page.getByRole('img', { name: /QR code of http:/ }).waitFor();
    assert.match(await text(page.locator('.joined')), /6 devices with 28 cores Old Nexus/);
    assert.match(await text(page.locator('.how-far')), /412 of 1,000 \(41 %\) 7\.8 items\/s/);
    const newcomer = scenes.device('9', 'New phone', { since: master.snapshot.now });
    master.tell({ ...master.snapshot, devices: [...master.snapshot.devices, newcomer] });
    await page.locator('.joined li').first().getByText('New phone').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('columnheader', { name: 'Device' }).waitFor();
  }));

for (const [size, viewport] of [
  ['phone', { width: 360, height: 740 }],
  ['wide', { width: 1440, height: 900 }],
] as const) {
  for (const colorScheme of ['light', 'dark'] as const) {
    test(`axe-core finds no violation: ${size}, ${colorScheme}`, async () => {
      await opened(scenes.failing(), { viewport, colorScheme }, async ({ page, master }) => {
        await page.getByRole('button', { name: 'Show results' }).click();
        await eventually(() => master.hasResultReaders);
        master.result(scenes.tile(1, '1'), { item: 2, device: '2', kind: 'number', value: 2 });
        master.result({ item: 3, device: '3', kind: 'text', value: 'three' });
        await page.locator('.results .log').waitFor();
        await page.getByRole('button', { name: '1 device has left' }).click();
        await page.locator('.failures summary').first().click();
        await assertAccessible(page);
        assert.ok(await fits(page), 'the page is wider than the window');
        await page.getByRole('button', { name: 'Stop' }).click();
        await assertAccessible(page);
      });
      for (const snapshot of [scenes.empty(), scenes.finished(), scenes.demo()]) {
        for (const fragment of ['', '#big']) {
          await opened(snapshot, { viewport, colorScheme, fragment }, async ({ page }) => {
            await assertAccessible(page);
            assert.ok(await fits(page), 'the page is wider than the window');
          });
        }
      }
    });
  }
}

async function assertAccessible(page: Page) {
  // The page's policy forbids further scripts, except those of the browser's driver.
  const found = await page.evaluate(`(() => { ${AXE} })(); axe.run()`);
  const { violations } = found as { violations: { id: string; nodes: { html: string }[] }[] };
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
  assert.deepEqual(told, []);
}

function fits(page: Page): Promise<boolean> {
  return page.evaluate(
    () => document.documentElement.scrollWidth <= document.documentElement.clientWidth,
  );
}
