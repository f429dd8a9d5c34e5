// Tests what the page does for its person: words, languages, screen, battery, sharing.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TOY, hellos, shots, shows, test } from './suite.mjs';

const AXE = readFileSync(
  fileURLToPath(new URL('../../node_modules/axe-core/axe.min.js', import.meta.url)),
  'utf8',
);
const PHONE =
  'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 Mobile Safari/537.36';
const one = { code: TOY, cores: 1 };

/** Fails with the rules that the page breaks, as axe-core finds them. */
async function accessible(page) {
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => axe.run());
  const told = violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
  assert.deepEqual(told, []);
}

/** The numbers of cores that the page has told. */
const cores = (master) =>
  master.heard.filter(({ type }) => /hello|update/.test(type)).map(({ cores }) => cores);

test(
  'the page says what it computes and for whom, as text',
  { ...one, title: '<i>Dawn</i> $& {n}', from: 'Ann & Bob {text}' },
  async (master, page) => {
    await shows(page, 'who', /./);
    assert.equal(await page.textContent('#what'), '<i>Dawn</i> $& {n}');
    assert.equal(await page.textContent('#who'), 'for Ann & Bob {text}');
    assert.equal(await page.title(), '<i>Dawn</i> $& {n}');
  },
);

test('without a title the page is named Pando', one, async (master, page) => {
  await shows(page, 'title', /Ready/);
  assert.equal(await page.textContent('#what'), 'Pando');
  assert.equal(await page.isVisible('#who'), false);
});

test(
  "the texts are those of the browser's language",
  { ...one, context: { locale: 'pt-BR' } },
  async (master, page) => {
    await shows(page, 'title', /Pronto/);
    assert.equal(await page.getAttribute('html', 'lang'), 'pt');
  },
);

test(
  "the address may name another language than the browser's, from right to left too",
  { ...one, fragment: '#cores=1;lang=ar;', context: { locale: 'fr-FR' } },
  async (master, page) => {
    await shows(page, 'title', /جاهز/);
    const { lang, dir } = await page.evaluate(() => document.documentElement);
    assert.deepEqual([lang, dir], [undefined, undefined]);
    assert.equal(await page.getAttribute('html', 'dir'), 'rtl');
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
  },
);

test('without its texts the page computes, and asks for them again', one, async (master, page) => {
  const abort = (route) => route.abort();
  await page.route('**/texts-*', abort);
  await page.reload();
  await hellos(master, 2);
  master.values([[0, 'a']]);
  assert.equal((await master.result(0)).text, 'A');
  await page.unroute('**/texts-*', abort);
  await shows(page, 'title', /Computing|Waiting/);
});

test(
  'the page shows its share of all items, and the totals at the end',
  { ...one, items: 40 },
  async (master, page) => {
    await master.message('hello');
    master.values(Array.from({ length: 10 }, (_, id) => [id, 'a']));
    await master.result(9);
    await shows(page, 'share', /^25%$/);
    assert.match(await page.textContent('#time'), /^0:00:\d\d$/);
    assert.match(await page.getAttribute('#bars', 'd'), /v-16/);
    master.say({ type: 'bye', reason: 'done', text: 'The job is done.', items: 50 });
    await shows(page, 'detail', /This device did 10 items in 0:00:\d\d\. That is 20% of all\./);
    assert.equal(await page.isVisible('#settings'), false);
  },
);

test('without a number of all items there is no share', one, async (master, page) => {
  await master.message('hello');
  master.values([[0, 'a']]);
  await master.result(0);
  await shows(page, 'done', /^1$/);
  assert.equal(await page.isVisible('#share-field'), false);
});

const LOCKS = () => {
  window.locks = { taken: 0, held: 0 };
  navigator.wakeLock.request = async () => {
    locks.taken++;
    locks.held++;
    return { release: async () => void locks.held-- };
  };
};
const held = (page, count) => page.waitForFunction((count) => locks.held === count, count);

test(
  'a phone stays awake while it computes, with a switch that is remembered',
  { ...one, before: LOCKS, context: { userAgent: PHONE } },
  async (master, page) => {
    await held(page, 1);
    await page.click('#pause');
    await held(page, 0);
    await page.click('#pause');
    await held(page, 1);
    await page.uncheck('#screen');
    await held(page, 0);
    await page.reload();
    await shows(page, 'title', /Ready/);
    assert.equal(await page.isChecked('#screen'), false);
    assert.equal(await page.evaluate(() => locks.taken), 0);
    await page.check('#screen');
    await held(page, 1);
    master.say({ type: 'bye', reason: 'done', text: '' });
    await held(page, 0);
  },
);

test('a desktop may fall asleep unless told', { ...one, before: LOCKS }, async (master, page) => {
  await shows(page, 'title', /Ready/);
  assert.equal(await page.isChecked('#screen'), false);
  await page.check('#screen');
  await held(page, 1);
});

test(
  'where the browser cannot keep a phone awake, the page says where the setting is',
  {
    ...one,
    before: () => delete Navigator.prototype.wakeLock,
    context: { userAgent: PHONE },
  },
  async (master, page) => {
    await shows(page, 'screen-field', /Settings → Display → Screen timeout\.$/);
    assert.equal(await page.isVisible('#screen-field'), true);
    assert.equal(await page.isVisible('#screen'), false);
  },
);

const RELAY_URL = 'https://relay.example.org/k7d2m9qx4t/';

test(
  'over http, such a page names the address of the relay, where it can keep the phone awake',
  {
    ...one,
    relayUrl: RELAY_URL,
    before: () => delete Navigator.prototype.wakeLock,
    context: { userAgent: PHONE },
  },
  async (master, page) => {
    await shows(page, 'screen-field', /Screen timeout\. Or open this page over https/);
    assert.equal(await page.getAttribute('#screen-field a', 'href'), RELAY_URL);
  },
);

test(
  'a page that keeps its phone awake has no such hint',
  { ...one, relayUrl: RELAY_URL, before: LOCKS, context: { userAgent: PHONE } },
  async (master, page) => {
    await held(page, 1);
    assert.equal(await page.isVisible('#screen'), true);
    assert.equal(await page.locator('#screen-field a').count(), 0);
  },
);

const BATTERY = () => {
  window.battery = { level: 1, charging: true };
  navigator.getBattery = async () => battery;
  Object.defineProperty(navigator, 'hardwareConcurrency', { value: 8 });
};
const charge = (page, level, charging) =>
  page.evaluate(
    ([level, charging]) => {
      Object.assign(battery, { level, charging });
      battery.onlevelchange();
    },
    [level, charging],
  );

test(
  'a low battery pauses the device until it charges or its person resumes',
  { code: TOY, before: BATTERY, fragment: '#cores=2' },
  async (master, page) => {
    await master.message('hello');
    await charge(page, 0.15, false);
    await shows(page, 'detail', /The battery is low/);
    await charge(page, 0.15, true);
    await shows(page, 'title', /Ready/);
    await charge(page, 0.14, false);
    await shows(page, 'detail', /The battery is low/);
    await page.click('#pause');
    await shows(page, 'title', /Ready/);
    await charge(page, 0.13, false);
    await master.until(() => cores(master).length === 5, 'five messages about cores');
    assert.deepEqual(cores(master), [2, 0, 2, 0, 2]);
  },
);

test(
  'on battery half of the cores are lent, until the person chooses',
  { code: TOY, before: BATTERY, fragment: '' },
  async (master, page) => {
    assert.equal((await master.message('hello')).cores, 7);
    await charge(page, 0.9, false);
    await master.until(() => cores(master).includes(4), 'half of the cores');
    await page.fill('#cores', '6');
    await page.press('#cores', 'Tab');
    await master.until(() => cores(master).includes(6), 'six cores');
    await charge(page, 0.8, true);
    await charge(page, 0.8, false);
    assert.equal(await page.inputValue('#cores'), '6');
  },
);

test(
  'what the person has set is remembered for the next run at this address',
  one,
  async (master, page) => {
    await master.message('hello');
    await page.fill('#name', 'Our tablet');
    await page.press('#name', 'Enter');
    await master.message('update');
    const other = await page.context().newPage();
    await other.goto(page.url().replace(/#.*/, ''));
    await hellos(master, 2);
    assert.equal(await other.inputValue('#name'), 'Our tablet');
  },
);

const NO_SHARE = () => delete Navigator.prototype.share;

test(
  'the address is shared as a code and as a copied link',
  { ...one, before: NO_SHARE },
  async (master, page) => {
    await shows(page, 'title', /Ready/);
    await page.click('#invite');
    await page.waitForSelector('#panel svg path');
    assert.equal(await page.inputValue('#panel input'), page.url().replace(/#.*/, ''));
    await shows(page, 'panel', /The link is copied|Copy this link/);
    assert.equal(await page.locator('#panel button').count(), 0);
    const chosen = await page.evaluate(
      () => String(getSelection()) || document.activeElement.value,
    );
    assert.equal(chosen, page.url().replace(/#.*/, ''));
    await page.screenshot({ path: `${shots}/share.png`, fullPage: true });
  },
);

test(
  "the device's own way of sharing is offered, and where it fails the link is copied",
  {
    ...one,
    before: () => {
      window.shared = [];
      navigator.share = async (what) => {
        shared.push(what.url);
        if (shared.length > 1) throw new Error('no');
      };
    },
  },
  async (master, page) => {
    await shows(page, 'title', /Ready/);
    await page.click('#invite');
    await page.click('#panel button');
    await page.waitForFunction(() => shared.length === 1);
    assert.deepEqual(await page.evaluate(() => shared), [page.url().replace(/#.*/, '')]);
    await page.click('#panel button');
    await shows(page, 'panel', /The link is copied|Copy this link/);
  },
);

test('what went to others while the page was away is told on return', one, async (master, page) => {
  await master.message('hello');
  master.values([
    [0, 'sleep 5000'],
    [1, 'a'],
    [2, 'b'],
  ]);
  await master.message('started', 5000);
  await page.evaluate(() =>
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })),
  );
  await master.message('bye');
  await page.evaluate(() =>
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
  );
  await hellos(master, 2);
  await shows(page, 'note', /While this page was away, 3 items went to other devices\./);
});

test('so it is after a loss', { ...one, keep: [] }, async (master, page) => {
  await master.message('hello');
  master.values([[0, 'sleep 5000']]);
  await master.message('started', 5000);
  master.socket.terminate();
  await shows(page, 'note', /While this page was away, 1 item went to other devices\./);
});

for (const lang of ['en', 'ar'])
  for (const colorScheme of ['light', 'dark'])
    test(
      `everybody can use the page: ${lang}, ${colorScheme}`,
      {
        ...one,
        items: 50,
        title: 'Dawn over Zürich',
        from: 'Ann',
        before: NO_SHARE,
        fragment: `#cores=1;lang=${lang};`,
        context: { colorScheme },
      },
      async (master, page) => {
        await master.message('hello');
        master.values([
          [0, 'log'],
          [1, 'fail'],
          [2, 'sleep 600'],
        ]);
        await master.result(1);
        await page.waitForSelector('#lines li');
        await page.click('summary');
        await page.click('#invite');
        await page.waitForSelector('#panel svg path');
        await accessible(page);
        await page.click('#pause');
        await accessible(page);
        await master.result(2);
        master.say({ type: 'bye', reason: 'done', text: '', items: 50 });
        await page.waitForSelector('#settings', { state: 'hidden' });
        await accessible(page);
      },
    );
