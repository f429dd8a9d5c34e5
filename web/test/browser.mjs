// Chromium for tests: driven (for clicks and screenshots) or plain (for measurements).
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const CHROMIUM =
  process.env.CHROMIUM ||
  ['/usr/bin/chromium', '/usr/bin/google-chrome'].find((path) => existsSync(path));
export const FLAGS = [
  '--headless',
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-renderer-backgrounding',
  '--disable-background-timer-throttling',
  '--disable-backgrounding-occluded-windows',
  // With this feature off, two pages of one browser find each other by address.
  '--disable-features=WebRtcHideLocalIpsWithMdns',
];

/** Opens pages in a browser without a driver; returns a function that ends the browser. */
export function plainBrowser(...urls) {
  const profile = mkdtempSync(join(tmpdir(), 'pando-chromium-'));
  const child = spawn(
    CHROMIUM,
    [...FLAGS, '--remote-debugging-port=0', `--user-data-dir=${profile}`, ...urls],
    { stdio: 'ignore', detached: true },
  );
  return async () => {
    const ended = new Promise((resolve) => child.once('exit', resolve));
    process.kill(-child.pid, 'SIGTERM');
    await ended;
    rmSync(profile, { recursive: true, force: true, maxRetries: 5, retryDelay: 200 });
  };
}

export async function drivenBrowser() {
  const { chromium } = await import('playwright-core');
  return chromium.launch({
    executablePath: CHROMIUM,
    args: FLAGS.filter((flag) => flag !== '--headless'),
  });
}
