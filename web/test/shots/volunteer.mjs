// Pictures of the volunteer page in its states: phone and wide, light and dark, English and Arabic.
import { join } from 'node:path';
import { Master } from '../master.mjs';
import { SIZES } from './sizes.mjs';

const CODE =
  "globalThis.__pandoModule = { exports: { '/pando/1.0.0': (x, cb) => setTimeout(cb, Number(x), null, x) } };";
const ANDROID =
  'Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36';
const WORDS = {
  en: {
    title: 'Rendering a film about bees',
    from: 'the school of Oak Street',
    name: "Ada's phone",
  },
  ar: { title: 'فيلم عن النحل', from: 'مدرسة شارع البلوط', name: 'هاتف ليلى' },
};
/** What the device has done before the pictures. */
const BEFORE = 'done=1234;time=3725;';
const RELAY_URL = 'https://pando.example.org/k7d2m9qx4t/';

/** The states, each with the way to it from the one before. */
const STATES = {
  computing: async ({ page }) => {
    await page.waitForFunction(() => document.querySelector('#pando.good #title'));
    // The bars show some seconds.
    await page.waitForTimeout(5000);
  },
  paused: async ({ page, stop }) => {
    stop();
    await page.click('#pause');
    await page.waitForFunction(() => document.getElementById('held').textContent.match(/^[0٠]$/));
  },
  done: async ({ page, master }) => {
    await page.click('#pause');
    master.say({ type: 'bye', reason: 'done', text: '' });
    await page.waitForFunction(() => document.getElementById('settings').hidden);
  },
};

/** Takes all pictures of the page that was built in the folder `dist`. */
export async function shootVolunteers(browser, dist, folder) {
  for (const language of Object.keys(WORDS)) {
    for (const size of Object.keys(SIZES)) await shoot(browser, dist, folder, { language, size });
  }
}

async function shoot(browser, dist, folder, { language, size }) {
  const { title, from, name } = WORDS[language];
  const master = new Master({ dist, code: CODE, title, from, items: 5000, relayUrl: RELAY_URL });
  const url = await master.listen();
  const isPhone = size === 'phone';
  const context = await browser.newContext({
    viewport: SIZES[size],
    deviceScaleFactor: isPhone ? 2 : 1,
    locale: language,
    reducedMotion: 'reduce',
    ...(isPhone && { userAgent: ANDROID, hasTouch: true, isMobile: true }),
  });
  const page = await context.newPage();
  // As over plain http.
  await page.addInitScript(() => delete Navigator.prototype.wakeLock);
  const device = encodeURIComponent(name).replace(/_/g, '%5F');
  await page.goto(`${url}#cores=2;lang=${language};device=${device};${BEFORE}`);
  await master.message('hello');
  const stop = feed(master);
  for (const [state, reach] of Object.entries(STATES)) {
    await reach({ page, master, stop });
    for (const colorScheme of ['light', 'dark']) {
      await page.emulateMedia({ colorScheme });
      const path = join(folder, `volunteer-${state}-${size}-${colorScheme}-${language}.png`);
      await page.screenshot({ path, fullPage: true });
      console.log(path);
    }
  }
  await context.close();
  await master.close();
}

/** Gives values of 100 to 300 ms until the returned function is called. */
function feed(master) {
  let id = 0;
  const give = () => {
    while (id < master.results.size + 5) master.values([[id++, String(100 + ((id * 7919) % 200))]]);
  };
  const timer = setInterval(give, 50);
  return () => clearInterval(timer);
}
