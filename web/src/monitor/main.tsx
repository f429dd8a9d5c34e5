/** The monitoring page: shows a run to its owner, and takes the owner's actions. */

import { render } from 'preact';
import { Model } from './model.ts';
import { App } from './parts/app.tsx';

const root = document.getElementById('app')!;
const model = new Model(show);
const dark = matchMedia('(prefers-color-scheme: dark)');
dark.addEventListener('change', show);
addEventListener('hashchange', show);
model.connect();

function show() {
  render(<App model={model} dark={dark.matches} big={location.hash === '#big'} />, root);
}
