/**
 * The script of a tab, in three roles: page, link worker and compute worker. The roles share much
 * code, and the browser fetches the script only once.
 */

// The script compresses best in this order.
import './core/runtime.ts';
import { awaitStart } from './link.ts';
import { openPage } from './volunteer.ts';
import { awaitJoin } from './worker.ts';

if (typeof document !== 'undefined') {
  openPage();
} else {
  // The page's first message decides between link and core.
  awaitStart();
  awaitJoin();
}
