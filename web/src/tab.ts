/**
 * The one script of a tab, in three parts: the page, the link worker, and the compute workers. They share much, and a
 * browser that has fetched it for one has it for all.
 */

import { awaitStart } from './link.ts';
import { openPage } from './volunteer.ts';
import { awaitJoin } from './worker.ts';

if (typeof document !== 'undefined') {
  openPage();
} else {
  // The page's first message says which of the two this is.
  awaitStart();
  awaitJoin();
}
