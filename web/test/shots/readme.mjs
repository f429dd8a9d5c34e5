// The picture of the README: the terminal, the monitoring page and a phone during `pando demo`.
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { screenOf } from './terminal.mjs';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const COLUMNS = 80;
const DONE = 250;
const ANDROID =
  'Mozilla/5.0 (Linux; Android 15; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Mobile Safari/537.36';
/** The size of the picture, in CSS pixels. */
const SIZE = { width: 1280, height: 700 };
const DESK = { width: 1180, height: 800 };
const PHONE = { width: 390, height: 590 };

/** The program: `PANDO`, or a build of this clone; undefined without any. */
export function foundProgram() {
  const builds = [process.env.PANDO, `${ROOT}target/release/pando`, `${ROOT}target/ci/pando`];
  return builds.find((path) => path && existsSync(path));
}

/** Takes the picture in both colour schemes. */
export async function shootReadme(browser, program, folder) {
  const run = new DemoRun(program);
  const contexts = [];
  try {
    const monitor = await run.says(/Serving monitoring page at (\S+)/);
    const volunteers = await run.says(/Serving volunteer code at (http:\/\/127\S+)/);
    const open = async (url, options) => {
      const context = await browser.newContext({
        reducedMotion: 'reduce',
        locale: 'en',
        ...options,
      });
      contexts.push(context);
      const page = await context.newPage();
      await page.goto(url);
      return page;
    };
    const desk = await open(monitor, { viewport: DESK });
    const phone = await open(`${volunteers}#device=Ada's_phone;cores=1;`, {
      viewport: PHONE,
      deviceScaleFactor: 2,
      userAgent: ANDROID,
      isMobile: true,
      hasTouch: true,
    });
    await open(`${volunteers}#device=Ben's_laptop;cores=1;`);
    await desk.locator(`.tile:nth-child(${DONE})`).waitFor({ timeout: 300_000 });
    for (const colorScheme of ['light', 'dark']) {
      const shot = async (page) => {
        await page.emulateMedia({ colorScheme });
        const image = await page.screenshot();
        return `data:image/png;base64,${image.toString('base64')}`;
      };
      const [deskShot, phoneShot] = [await shot(desk), await shot(phone)];
      const terminal = screenOf(run.output, COLUMNS);
      const parts = { terminal, desk: deskShot, phone: phoneShot };
      const page = await open('about:blank', { viewport: SIZE, deviceScaleFactor: 1.1 });
      await page.setContent(composed(parts, colorScheme));
      const path = join(folder, `readme-${colorScheme}.png`);
      await page.screenshot({ path });
      console.log(path);
    }
  } finally {
    for (const context of contexts) await context.close();
    run.end();
  }
}

/** `pando demo` on a terminal. */
class DemoRun {
  output = '';
  waiting = [];

  constructor(program) {
    this.folder = mkdtempSync(join(tmpdir(), 'pando-picture-'));
    const command = `stty cols ${COLUMNS} rows 40; exec '${program}' demo --cores 1 --port 8000 --token k7d2m9qx4t`;
    // The page is opened by this script.
    writeFileSync(join(this.folder, 'xdg-open'), '#!/bin/sh\n', { mode: 0o755 });
    this.child = spawn('script', ['-qfec', command, '/dev/null'], {
      cwd: this.folder,
      env: { ...process.env, PATH: `${this.folder}:${process.env.PATH}` },
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.child.stdout.setEncoding('utf8').on('data', (text) => {
      this.output += text;
      this.waiting = this.waiting.filter((check) => !check());
    });
  }

  /** The first group of `pattern` in the output, once it is there. */
  says(pattern) {
    return new Promise((resolve) => {
      const check = () => {
        const found = this.output.match(pattern);
        if (found) resolve(found[1]);
        return found;
      };
      if (!check()) this.waiting.push(check);
    });
  }

  end() {
    this.child.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** The page with the whole picture. A terminal is dark, so that its QR code is dark on light. */
function composed({ terminal, desk, phone }, colorScheme) {
  const isDark = colorScheme === 'dark';
  const [paper, edge, bar, dot] = isDark
    ? ['#0d1117', '#4a5058', '#2a2f35', '#5a6068']
    : ['#fff', '#bbb', '#e4e4e0', '#b4b4ae'];
  const text = ['$ pando demo', ...terminal].join('\n').trimEnd();
  const escaped = text
    .replace(/&/g, '&amp;')
    .replace(/</g, '&lt;')
    .replace(/[ █▀▄]*[█▀▄][ █▀▄]*/g, '<b>$&</b>');
  const window = (style, content) =>
    `<div class="window" style="${style}"><div class="bar"><i></i><i></i><i></i></div>${content}</div>`;
  return `<!doctype html><style>
    body { margin: 0; background: ${paper}; position: relative; height: ${SIZE.height}px; overflow: hidden }
    .window { position: absolute; box-sizing: border-box; border: 1px solid ${edge}; border-radius: 9px;
      overflow: hidden; box-shadow: 0 5px 16px rgba(0, 0, 0, ${isDark ? 0.7 : 0.22}) }
    .bar { height: 22px; background: ${bar} }
    .bar i { float: left; width: 9px; height: 9px; margin: 6.5px 0 0 8px; border-radius: 50%; background: ${dot} }
    img { display: block; width: 100% }
    pre { margin: 0; padding: 8px 12px 10px; font: 10.5px/12px 'DejaVu Sans Mono', monospace; background: #101418; color: #dde3e8 }
    b { font-weight: 400; text-shadow: 0 0 0.6px, 0 0.5px 0, 0.5px 0 0 }
    .phone { border: 6px solid ${isDark ? '#4a5058' : '#333'}; border-radius: 20px }
  </style><body>
  ${window('left: 14px; top: 14px; width: 545px', `<pre>${escaped}</pre>`)}
  ${window('left: 520px; top: 130px; width: 746px', `<img src="${desk}">`)}
  <div class="window phone" style="left: 90px; top: 405px; width: 186px"><img src="${phone}"></div>`;
}
