// Measures the items per second of one tab with a function that does nothing:
// node test/measure.mjs [cores] [window] [values per frame] [seconds]
import { Master } from './master.mjs';
import { plainBrowser } from './browser.mjs';

const [cores = 1, window = 4000, perFrame = 1000, seconds = 5] = process.argv.slice(2).map(Number);
const code = "globalThis.__pandoModule={exports:{'/pando/1.0.0':(x,cb)=>cb(null,x)},esm:false}";
const master = new Master({ dist: new URL('../dist', import.meta.url).pathname, code });
const url = await master.listen();

let sent = 0;
let done = 0;
function frame(from) {
  const out = Buffer.allocUnsafe(1 + perFrame * 16);
  let at = 0;
  out[at++] = 1;
  for (let id = from; id < from + perFrame; id++) {
    let rest = id;
    while (rest > 127) ((out[at++] = (rest & 127) | 128), (rest >>>= 7));
    out[at++] = rest;
    out[at++] = 0;
    out[at++] = 6;
    at += out.write('abcdef', at, 'latin1');
  }
  return out.subarray(0, at);
}

/** Only counts results, so that the speed of the toy master does not limit the measurement. */
function count(data) {
  let results = 0;
  let at = 1;
  while (at < data.length) {
    while (data[at++] > 127);
    at++;
    while (data[at++] > 127);
    at += data[at] + 1;
    results++;
  }
  return results;
}

master.onHello = (ws) => refill(ws);
master.onResults = (ws, data) => {
  done += count(data);
  refill(ws);
};
function refill(ws) {
  while (sent - done + perFrame <= window) {
    ws.send(frame(sent));
    sent += perFrame;
  }
}

const close = plainBrowser(`${url}#cores=${cores}`);
await master.message('hello', 20_000);
await new Promise((resolve) => setTimeout(resolve, 1500));
const before = done;
const start = performance.now();
await new Promise((resolve) => setTimeout(resolve, seconds * 1000));
const rate = ((done - before) * 1000) / (performance.now() - start);
console.log(
  `${Math.round(rate).toLocaleString('en')} items/s (cores ${cores}, window ${window}, ${perFrame} values per frame)`,
);
await close();
await master.close();
