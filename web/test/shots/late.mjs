// Pictures of what somebody finds whose link is not in use: at a master, and at a relay.
import { spawn } from 'node:child_process';
import { SIZES } from './sizes.mjs';
import { contextFor, shootSchemes } from './volunteer.mjs';

/** Takes the pictures of pages that `program` serves. */
export async function shootLate(browser, program, folder) {
  const servers = {
    run: [['-e', 'x => x', '--stdin', '--cores', '0', '--port', '0'], /(http:\/\/127\S+)/],
    relay: [
      ['relay', '--port', '0', '--bind', '127.0.0.1', '--secret', 'for-pictures'],
      /(http:\/\/\S+)/,
    ],
  };
  for (const [name, [words, url]] of Object.entries(servers)) {
    const child = spawn(program, words, { stdio: ['pipe', 'ignore', 'pipe'] });
    try {
      const { origin } = new URL(await said(child, url));
      for (const size of Object.keys(SIZES)) {
        const context = await contextFor(browser, { language: 'en', size });
        const page = await context.newPage();
        for (const [where, path] of [
          ['late', '/k7d2m9qx4t/'],
          ['front', '/'],
        ]) {
          await page.goto(origin + path);
          await shootSchemes(page, folder, (scheme) => `${name}-${where}-${size}-${scheme}`);
        }
        await context.close();
      }
    } finally {
      child.kill();
    }
  }
}

/** What a program says that matches `pattern`. */
function said(child, pattern) {
  let text = '';
  return new Promise((resolve, reject) => {
    child.stderr.setEncoding('utf8').on('data', (more) => {
      text += more;
      const found = text.match(pattern);
      if (found) resolve(found[1]);
    });
    child.on('exit', () => reject(new Error(`the program has ended: ${text}`)));
  });
}
