// What all builds of scripts have in common.
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const here = dirname(fileURLToPath(import.meta.url));
const { version } = JSON.parse(await readFile(join(here, 'package.json'), 'utf8'));

export const shared = {
  bundle: true,
  absWorkingDir: here,
  define: { PANDO_VERSION: JSON.stringify(version) },
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
};
