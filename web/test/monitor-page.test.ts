import assert from 'node:assert/strict';
import { test } from 'node:test';
import { eventually } from './monitor/eventually.ts';
import { names, opened, row, section, text } from './monitor/page.ts';
import * as scenes from './monitor/scenes.ts';

test('the headline has title, progress, rate and time left', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    assert.equal(await text(page.locator('h1')), 'Mandelbrot, 1,000 frames');
    assert.equal(await text(page.locator('.from')), 'for Erick');
    assert.equal(await text(page.locator('.progress-card .done')), '412 of 1,000 (41 %)');
    assert.equal(
      await text(page.locator('.progress-card .figures')),
      'Items/s 7.8 Time left 1 min 16 s Time so far 3 min 35 s Devices 6 with 28 cores',
    );
    const bar = page.getByRole('progressbar', { name: 'Items done' });
    assert.equal(await bar.getAttribute('aria-valuenow'), '41');
    assert.equal(await page.title(), '41 % · Mandelbrot, 1,000 frames · Pando');
    assert.equal(await text(page.locator('.pill')), 'Live');

    const { progress } = master.snapshot;
    const unknown = { ...progress, done: 500, total: null, secondsLeft: null };
    master.tell({ ...master.snapshot, progress: unknown, why: 'All devices are paused.' });
    await page.getByText('500 done').waitFor();
    assert.equal(await text(page.locator('.why')), 'All devices are paused.');
    assert.equal(await bar.getAttribute('aria-valuenow'), null);
    assert.match(await text(page.locator('.progress-card .figures')), /Time left unknown/);
  }));

test('the table has one row per device with all figures', () =>
  opened(scenes.failing(), {}, async ({ page }) => {
    assert.equal(
      await text(row(page, 'Old Nexus')),
      'Old Nexus in the kitchen fails what others compute Chrome 71 on Android relay − 4 + ' +
        '4 3 12 3 % 0.25 3.4 s ± 810 ms 3.0 ms ↓ 930 kB ↑ 1.6 kB 9 2 min 7 s',
    );
    assert.match(await text(row(page, 'this machine')), /Cores of a machine this machine − 7 of 8/);
    assert.match(await text(row(page, "Ada's phone")), /paused by you/);
  }));

test('devices that have left are folded', () =>
  opened(scenes.busy(), {}, async ({ page }) => {
    assert.equal(await row(page, 'Windows Edge').count(), 0);
    await page.getByRole('button', { name: '1 device has left' }).click();
    assert.match(await text(row(page, 'Windows Edge')), /closed the page/);
    assert.equal(await row(page, 'Windows Edge').getByRole('button').count(), 0);
  }));

test('a click on the title of a column sorts the rows', () =>
  opened(scenes.busy(), {}, async ({ page }) => {
    const header = (name: string) => page.getByRole('columnheader', { name });
    assert.equal(await header('Items ↓').getAttribute('aria-sort'), 'descending');
    assert.equal((await names(page))[0].trim(), 'this machine');
    await header('Device').getByRole('button').click();
    assert.equal(await header('Device').getAttribute('aria-sort'), 'ascending');
    assert.deepEqual(await names(page), [
      "Ada's phone",
      'Grace’s MacBook',
      'iPad Safari',
      'Linux Firefox',
      'Old Nexus in the kitchen',
      'this machine',
    ]);
    await header('Round trip').getByRole('button').press('Enter');
    assert.equal((await names(page))[0], 'Linux Firefox');
    await header('Round trip').getByRole('button').press('Enter');
    assert.equal((await names(page))[0], 'this machine');
    assert.equal(await header('Device').getAttribute('aria-sort'), 'none');
  }));

test('rows keep their place while a person has the focus in the table', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    await page.getByRole('button', { name: 'Pause Linux Firefox' }).focus();
    const devices = master.snapshot.devices.map((device) =>
      device.name === 'Linux Firefox' ? { ...device, items: 999 } : device,
    );
    master.tell({ ...master.snapshot, devices });
    await row(page, 'Linux Firefox').getByText('999').waitFor();
    assert.equal((await names(page))[3], 'Linux Firefox');
    await page.getByRole('button', { name: 'Pause Linux Firefox' }).blur();
    master.tell({ ...master.snapshot, progress: { ...master.snapshot.progress, done: 413 } });
    await page.getByText('413 of 1,000').waitFor();
    assert.equal((await names(page))[0], 'Linux Firefox');
  }));

test('the owner pauses a device, changes its cores and sends it away', () =>
  opened(scenes.failing(), {}, async ({ page, master }) => {
    await page.getByRole('button', { name: 'Pause Linux Firefox' }).click();
    await page.getByRole('button', { name: "Resume Ada's phone" }).click();
    await page.getByRole('button', { name: 'Fewer cores of Grace’s MacBook' }).click();
    await page.getByRole('button', { name: 'More cores of this machine' }).click();
    for (const name of ['More cores of Linux', "Fewer cores of Ada's phone"]) {
      assert.ok(await page.getByRole('button', { name }).isDisabled());
    }
    await page.getByRole('button', { name: 'Send iPad Safari away' }).click();
    await page.getByRole('dialog', { name: 'Send iPad Safari away?' }).waitFor();
    await page.getByRole('button', { name: 'Cancel' }).click();
    await page.getByRole('button', { name: 'Send iPad Safari away' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Send away' }).click();
    await eventually(() => master.actions.length === 5);
    assert.deepEqual(master.actions, [
      { action: 'pause', device: '4' },
      { action: 'resume', device: '2' },
      { action: 'cores', device: '3', cores: 6 },
      { action: 'cores', device: '1', cores: 8 },
      { action: 'remove', device: '5' },
    ]);
  }));

test('the owner finishes early or stops the run, after a question', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    await page.getByRole('button', { name: 'Finish early' }).click();
    await page.getByRole('dialog').waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Finish early' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Finish early' }).click();
    await eventually(() => master.actions.length === 1);
    master.tell({ ...master.snapshot, state: 'finishing' });
    await page.getByText('Finishing what was read').waitFor();
    assert.equal(await page.getByRole('button', { name: 'Finish early' }).count(), 0);
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('button', { name: 'Stop now' }).click();
    await eventually(() => master.actions.length === 2);
    assert.deepEqual(master.actions, [{ action: 'finish' }, { action: 'stop' }]);
  }));

test('a refusal of the master is told in its words', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    master.refusal = 'No device has this number.';
    await page.getByRole('button', { name: 'Pause Linux Firefox' }).click();
    const alert = page.getByRole('alert');
    await alert.getByText('No device has this number.').waitFor();
    await alert.getByRole('button', { name: 'Close' }).click();
    assert.equal(await alert.count(), 0);
  }));

test('the window tells where the items are, and which item blocks the output', () =>
  opened(scenes.failing(), {}, async ({ page }) => {
    assert.equal(
      await text(section(page, 'From input to output')),
      'From input to output Read 1,936 In progress 58 Waiting for their turn 1,478 Output 400 ' +
        '1,536 items of at most 2,000 between input and output. ' +
        'Item 401 blocks the output. iPad Safari has had it for 43 s.',
    );
  }));

test('failed attempts have input, device, message and stack', () =>
  opened(scenes.failing(), {}, async ({ page }) => {
    const failures = section(page, 'Failures');
    assert.match(
      await text(failures),
      /2 failed items, 11 failed attempts, 7 lent again, 1 computed twice\. Item 401 · Grace’s/,
    );
    assert.equal(await failures.getByRole('group').count(), 5);
    await failures.locator('summary').first().click();
    assert.equal(
      await text(failures.locator('details').first()),
      'Item 401 · Grace’s MacBook · 21:49:50 RangeError: Invalid array length ' +
        'Input {"frame":401,"zoom":1.5} ' +
        'Stack RangeError: Invalid array length at allocate (render.js:88:14)',
    );
  }));

test('the page shows what the function prints', () =>
  opened(scenes.busy(), {}, async ({ page }) => {
    const lines = section(page, 'Output of the function').getByRole('listitem');
    assert.equal(await lines.count(), 4);
    assert.equal(
      await text(lines.nth(2)),
      '21:49:37 Old Nexus in the kitchen item 215 warning (12 times) ' +
        'no WebGL here: falls back to 2D',
    );
  }));

test('the plot has a part for each device, and follows new samples', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    const throughput = section(page, 'Throughput');
    assert.match(await text(throughput), /^Throughput 7\.8 items\/s now this machine 2\.7 Ada/);
    assert.match(await text(throughput), /Cores busy of cores lent [\d.]+ of 28/);
    assert.equal(await throughput.locator('canvas').count(), 2);
    const sample = scenes.sampleAt(master.snapshot, 199, 200);
    const byDevice = { '1': 4, '2': 1, '': 0.5 };
    master.sample({ ...sample, time: sample.time + 1, perSecond: 5.5, byDevice });
    await throughput.getByText('5.5 items/s').waitFor();
    assert.match(
      await text(throughput),
      /this machine 4\.0 Ada's phone 1\.0 .* other devices 0\.5/,
    );
  }));

test('names, messages and lines of others are text, and do not change their neighbours', async () => {
  const evil = '<img src=x onerror=alert(1)>\u202e';
  const snapshot = scenes.failing();
  const devices = snapshot.devices.map((device, at) => (at ? device : { ...device, name: evil }));
  const [failure] = snapshot.failures.last;
  const last = [{ ...failure, device: evil, message: evil, input: evil, stack: evil }];
  const [line] = snapshot.prints;
  const evilSnapshot = {
    ...snapshot,
    devices,
    title: evil,
    from: evil,
    why: `Waiting for ${evil} only.`,
    failures: { ...snapshot.failures, last },
    prints: [{ ...line, device: evil, text: evil }],
    window: { ...snapshot.window, blockedBy: { item: 401, device: evil, seconds: 1 } },
  };
  await opened(evilSnapshot, {}, async ({ page }) => {
    assert.equal(await page.locator('#app img').count(), 0);
    assert.equal(await page.title(), '41 % · <img src=x onerror=alert(1)> · Pando');
    assert.equal(
      await text(page.locator('.why')),
      'Waiting for <img src=x onerror=alert(1)> only.',
    );
    const isolated = await page.locator('#app :text("onerror")').evaluateAll((elements) =>
      elements.map((element) => {
        const { unicodeBidi, display } = getComputedStyle(element);
        const isWhole = /^(block|list-item|flex)$/.test(display);
        return unicodeBidi === 'isolate' || isWhole || !element.textContent!.includes('\u202e');
      }),
    );
    assert.ok(isolated.length >= 8 && isolated.every(Boolean), JSON.stringify(isolated));
    const after = await page.locator('.blocked').evaluate((element) => {
      const range = document.createRange();
      const behind = element.querySelector('bdi')!.nextSibling!;
      const place = (at: number) => {
        range.setStart(behind, at);
        range.setEnd(behind, at + 1);
        return range.getBoundingClientRect();
      };
      return [place(1), place(2), place(3)].map(({ x }) => x);
    });
    assert.ok(after[0] < after[1] && after[1] < after[2], JSON.stringify(after));
  });
});

test('the page connects again with the new state after the connection was lost', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    master.isDown = true;
    master.drop();
    await page.getByText(/Reconnecting … next attempt in/).waitFor();
    assert.match(await text(page.locator('.done')), /412/);
    master.isDown = false;
    const { progress } = master.snapshot;
    master.snapshot = { ...master.snapshot, progress: { ...progress, done: 555 } };
    await page.getByText('555 of 1,000').waitFor();
    await page.getByText('Live', { exact: true }).waitFor();
    assert.ok(master.connections >= 2);
  }));

test('a person can try again at once', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    master.isDown = true;
    master.drop();
    await page.getByText(/next attempt in (4|8|16|30)/).waitFor();
    master.isDown = false;
    await page.getByRole('button', { name: 'Try now' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
  }));

test('a connection without any event is lost', () =>
  opened(scenes.busy(), { ownClock: true }, async ({ page, master }) => {
    await page.clock.runFor(10_000);
    master.tell(master.snapshot);
    const { progress } = master.snapshot;
    master.tell({ ...master.snapshot, progress: { ...progress, done: 413 } });
    await page.getByText('413 of 1,000').waitFor();
    await page.clock.runFor(14_000);
    await page.getByText('Live', { exact: true }).waitFor();
    await page.clock.runFor(1100);
    await page.getByText(/next attempt in/).waitFor();
    await page.clock.runFor(1000);
    await page.getByText('Live', { exact: true }).waitFor();
    // On a busy machine, an attempt may take so long that another one follows.
    assert.ok(master.connections >= 2);
  }));

test('a run that has ended says so, stays readable, and is not asked again', () =>
  opened(scenes.busy(), {}, async ({ page, master }) => {
    // Some devices are still connected at the end.
    const end = scenes.finished();
    end.devices[0].connected = true;
    master.tell(end);
    await page.locator('.pill', { hasText: 'The run has ended' }).waitFor();
    assert.match(await text(page.locator('.progress-card')), /Finished 1,000 of 1,000 \(100 %\)/);
    assert.match(await text(page.locator('.progress-card')), /All items are done/);
    for (const name of ['Stop', 'Pause', 'Send', 'Fewer cores']) {
      assert.equal(await page.getByRole('button', { name }).count(), 0);
    }
    assert.equal((await names(page)).length, 7);
    assert.equal(master.connections, 1);
    master.snapshot = scenes.busy();
    await page.getByRole('button', { name: 'Connect again' }).click();
    await page.getByText('Live', { exact: true }).waitFor();
    await page.locator('.progress-card .done', { hasText: '412 of 1,000' }).waitFor();
  }));

test('of 1,000 devices the first 100 have a row, and all on request', () =>
  opened(scenes.crowd(1000), {}, async ({ page, master }) => {
    assert.equal((await names(page)).length, 100);
    await page.getByRole('button', { name: 'Show all 1,000 devices' }).click();
    assert.equal((await names(page)).length, 1000);
    const { progress } = master.snapshot;
    master.tell({ ...master.snapshot, progress: { ...progress, done: 600_000 } });
    await page.getByText('600,000 of about 2,000,000').waitFor();
    await page.getByRole('button', { name: 'Show the first 100' }).click();
    assert.equal((await names(page)).length, 100);
  }));
