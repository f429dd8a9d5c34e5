// Tests the built page in a real Chromium with a small master:
// node test/smoke.mjs [DIST] [words of a test's name]
import assert from 'node:assert/strict';
import { resolve } from 'node:path';
import { drivenBrowser } from './browser.mjs';
import { Master } from './master.mjs';
import { tests } from './smoke/suite.mjs';
import './smoke/page.mjs';
import './smoke/comfort.mjs';
import './smoke/webrtc.mjs';
import './smoke/relay.mjs';

const dist = resolve(process.argv[2] || 'dist');
const wanted = process.argv.slice(3).join(' ');
const browser = await drivenBrowser();

let failed = 0;
for (const { name, options, run } of tests.filter(({ name }) => name.includes(wanted))) {
  const { fragment = `#cores=${options.cores || 2}`, bridge, before, ...rest } = options;
  const master = new Master({ dist, ...rest });
  const url = await master.listen();
  const context = await browser.newContext({
    viewport: { width: 360, height: 640 },
    deviceScaleFactor: 2,
    ...options.context,
  });
  if (bridge) await master.bridge.open(context, master.bridgeUrl);
  const page = await context.newPage();
  const problems = [];
  page.on('pageerror', (error) => problems.push(String(error)));
  if (before) await page.addInitScript(before);
  try {
    await page.goto(url + fragment);
    await run(master, page);
    assert.deepEqual(problems, []);
    console.log(`ok      ${name}`);
  } catch (error) {
    failed++;
    console.log(
      `FAILED  ${name}\n${error.stack}\n${problems.join('\n')}\n${JSON.stringify(master.heard).slice(0, 2000)}`,
    );
  }
  await context.close();
  await master.close();
}
await browser.close();
console.log(failed === 0 ? 'all well' : `${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
