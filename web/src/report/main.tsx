/** The report of a run: shows the data that the master has written into this file. */

import { render } from 'preact';
import { plain } from '../monitor/format.ts';
import type { ReportData } from './data.ts';
import { Report } from './parts/app.tsx';

const root = document.getElementById('app')!;
const data = JSON.parse(document.getElementById('data')!.textContent!) as ReportData;
const dark = matchMedia('(prefers-color-scheme: dark)');
document.title = `${plain(data.snapshot.title)} · Pando report`;
dark.addEventListener('change', () => show(dark.matches));
// Paper is light.
addEventListener('beforeprint', () => show(false));
addEventListener('afterprint', () => show(dark.matches));
show(dark.matches);

function show(isDark: boolean) {
  render(<Report data={data} dark={isDark} />, root);
}
