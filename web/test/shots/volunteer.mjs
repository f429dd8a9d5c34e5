// Pictures of the volunteer page in its states: phone and wide, light and dark, English and Arabic.
import { join } from 'node:path';
import { Master } from '../master.mjs';
import { SIZES } from './sizes.mjs';

const CODE =
  "globalThis.__pandoModule = { exports: { '/pando/1.0.0': (x, cb) => setTimeout(cb, Number(x), null, x) } };";
/** A function that prints, and fails at some values. */
const PRINTING =
  "globalThis.__pandoModule = { exports: { '/pando/1.0.0': (x, cb) => { console.log('frame ' + x + ' of the film'); cb(x % 3 ? null : new Error('no bees in frame ' + x), x); } } };";
/** A function that asks a person. */
const QUESTION =
  "globalThis.__pandoModule = { exports: { '/pando/1.0.0': (x, cb) => { const e = document.getElementById('visualization'); e.innerHTML = '<p>Is this a bee? ' + x + '</p><button>Yes</button> <button>No</button>'; } } };";
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
  ready: async ({ page }) => {
    await page.waitForFunction(() => document.querySelector('#pando.good #title'));
  },
  computing: async (scene) => {
    scene.stop = feed(scene.master);
    // The bars show some seconds.
    await scene.page.waitForTimeout(5000);
  },
  back: async ({ page, stop }) => {
    stop();
    await turn(page, 'pagehide');
    await turn(page, 'pageshow');
    await page.waitForFunction(
      () => document.querySelector('#pando.good') && document.getElementById('note').textContent,
    );
  },
  about: async ({ page }) => {
    await page.click('details summary');
  },
  share: async ({ page }) => {
    await page.click('details summary');
    await page.click('#invite');
    await page.waitForSelector('#panel svg');
  },
  paused: async ({ page }) => {
    await page.evaluate(() => (document.getElementById('panel').textContent = ''));
    await page.click('#pause');
    await page.waitForFunction(() => document.getElementById('held').textContent.match(/^[0٠]$/));
  },
  done: async ({ page, master }) => {
    await page.click('#pause');
    master.say({ type: 'bye', reason: 'done', text: '' });
    await page.waitForFunction(() => document.getElementById('settings').hidden);
  },
};

/** States at which a page of its own arrives: what is special about its master, and the way. */
const OTHERS = {
  lost: {
    options: {},
    reach: async ({ page, master }) => {
      await page.waitForFunction(() => document.querySelector('#pando.good #title'));
      await master.close();
      await page.waitForFunction(() => !document.querySelector('#pando.good'));
    },
  },
  away: {
    options: {},
    reach: async ({ page, master }) => {
      await master.message('hello');
      await turn(page, 'pagehide');
      await page.waitForFunction(() => document.querySelector('#title').textContent.length > 1);
    },
  },
  battery: {
    options: {},
    before: () => (navigator.getBattery = async () => ({ level: 0.1, charging: false })),
    reach: async ({ page }) => {
      await page.waitForFunction(() => document.getElementById('detail').textContent.length > 50);
    },
  },
  output: {
    options: { code: PRINTING },
    reach: async ({ page, master }) => {
      await master.message('hello');
      master.values(Array.from({ length: 7 }, (_, id) => [id, String(id + 1)]));
      await master.result(6);
      await page.waitForSelector('#errors-field:not([hidden])');
    },
  },
  left: {
    options: {},
    reach: async ({ page, master }) => {
      await master.message('hello');
      await page.click('#leave');
      await page.waitForSelector('#again:not([hidden])');
    },
  },
  ended: {
    options: {},
    reach: async ({ page, master }) => {
      await master.message('hello');
      master.say({ type: 'bye', reason: 'stopped', text: 'The run was stopped by its owner.' });
      await page.waitForFunction(() => document.getElementById('settings').hidden);
    },
  },
  broken: {
    options: { code: 'let x = ;' },
    reach: async ({ page }) => {
      await page.waitForSelector('#again:not([hidden])');
    },
  },
  old: {
    options: {},
    context: { javaScriptEnabled: false },
    // The browser's own text comes after four seconds.
    reach: ({ page }) => page.waitForTimeout(5000),
  },
  refused: {
    options: {},
    reach: async ({ page, master }) => {
      await master.message('hello');
      master.say({ type: 'bye', reason: 'refused', text: 'The run has all the devices it wants.' });
      await page.waitForFunction(() => document.getElementById('settings').hidden);
    },
  },
  question: {
    options: { dom: true, code: QUESTION },
    reach: async ({ page, master }) => {
      await master.message('hello');
      master.values([[0, '7 bees']]);
      await page.waitForSelector('#visualization button');
    },
  },
};

/** Hides the page, or shows it again. */
function turn(page, event) {
  return page.evaluate((name) => {
    dispatchEvent(new PageTransitionEvent(name, { persisted: true }));
  }, event);
}

/** Takes all pictures of the page that was built in the folder `dist`. */
export async function shootVolunteers(browser, dist, folder) {
  for (const language of Object.keys(WORDS)) {
    for (const size of Object.keys(SIZES)) {
      const shoot = (options, states, special = {}) =>
        shootStates(browser, { dist, folder, language, size, options, states, ...special });
      await shoot({}, STATES);
      for (const [name, { options, reach, ...special }] of Object.entries(OTHERS)) {
        await shoot(options, { [name]: reach }, special);
      }
    }
  }
}

/** The context of a browser for pictures of a page for volunteers. */
export function contextFor(browser, { language, size, context }) {
  const isPhone = size === 'phone';
  return browser.newContext({
    viewport: SIZES[size],
    deviceScaleFactor: isPhone ? 2 : 1,
    locale: language,
    reducedMotion: 'reduce',
    ...(isPhone && { userAgent: ANDROID, hasTouch: true, isMobile: true }),
    ...context,
  });
}

/** Takes pictures of a page, light and dark. */
export async function shootSchemes(page, folder, name) {
  for (const colorScheme of ['light', 'dark']) {
    await page.emulateMedia({ colorScheme });
    const path = join(folder, `${name(colorScheme)}.png`);
    await page.screenshot({ path, fullPage: true });
    console.log(path);
  }
}

async function shootStates(browser, { dist, folder, language, size, options, states, ...special }) {
  const { title, from, name } = WORDS[language];
  const given = { dist, code: CODE, title, from, items: 5000, relayUrl: RELAY_URL, ...options };
  const master = new Master(given);
  const url = await master.listen();
  const context = await contextFor(browser, { language, size, context: special.context });
  const page = await context.newPage();
  if (special.before) await page.addInitScript(special.before);
  // As over plain http.
  await page.addInitScript(() => delete Navigator.prototype.wakeLock);
  const device = encodeURIComponent(name).replace(/_/g, '%5F');
  await page.goto(`${url}#cores=2;lang=${language};device=${device};${BEFORE}`);
  const scene = { page, master };
  for (const [state, reach] of Object.entries(states)) {
    await reach(scene);
    await shootSchemes(
      page,
      folder,
      (scheme) => `volunteer-${state}-${size}-${scheme}-${language}`,
    );
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
