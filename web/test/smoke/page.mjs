// Tests the page of a master, over a WebSocket.
import assert from 'node:assert/strict';
import { TOY, shots, test } from './suite.mjs';

test('values become results, in bulk', { code: TOY }, async (master) => {
  const hello = await master.message('hello');
  assert.equal(hello.version, 2);
  assert.equal(hello.token, master.options.token);
  assert.match(hello.name, /Chrome/);
  assert.deepEqual(hello.holds, []);
  master.values(Array.from({ length: 5000 }, (_, id) => [id, `value ${id}`]));
  await master.until(() => master.results.size === 5000, '5000 results');
  assert.equal(master.results.get(4321).text, 'VALUE 4321');
});

test('bytes, large ones too, come back as they were', { code: TOY }, async (master) => {
  await master.message('hello');
  const big = Buffer.alloc(1_000_000, 'abcdefg');
  assert.equal(master.sendCut([0, big]), 16);
  master.values([[1, Buffer.from([0, 255])]]);
  assert.ok((await master.result(0)).bytes.equals(big));
  assert.deepEqual([...(await master.result(1)).bytes], [0, 255]);
});

test('errors and output', { code: TOY, job: 'errors' }, async (master, page) => {
  await master.message('hello');
  master.values([
    [0, 'fail'],
    [1, 'throw'],
    [2, 'log'],
    [3, 'ok'],
  ]);
  await master.result(3);
  assert.equal(JSON.parse(master.results.get(0).text).kind, 'error');
  const thrown = JSON.parse(master.results.get(1).text);
  assert.deepEqual([thrown.kind, thrown.message], ['throw', 'TypeError: cannot']);
  assert.match(thrown.stack, /function\.js/);
  const { entries } = await master.message('log');
  assert.deepEqual(entries, [{ level: 'log', text: '<b>seen</b> {"x":"log"}', id: 2 }]);
  await page.waitForFunction(() => document.querySelector('#lines li'));
  assert.equal(await page.textContent('#lines li'), 'item 3: <b>seen</b> {"x":"log"}');
  await page.waitForFunction(() => document.querySelector('#errors').textContent === '2');
  await page.screenshot({ path: `${shots}/output.png`, fullPage: true });
});

test(
  'an endless loop fails at its time-out, and the core works again',
  { code: TOY, timeout: 400, cores: 1 },
  async (master) => {
    await master.message('hello');
    master.values([[0, 'loop']]);
    master.values([[1, 'a']]);
    assert.equal((await master.result(1)).text, 'A');
    const { message, kind } = JSON.parse(master.results.get(0).text);
    assert.deepEqual([kind, message], ['timeout', 'no answer within 400 ms']);
    const started = await master.message('started');
    assert.equal(started.items[0].id, 0);
  },
);

test(
  'when any of several may hang, they go back as careful, and careful ones are told apart',
  { code: TOY, timeout: 400, cores: 1 },
  async (master) => {
    await master.message('hello');
    master.values(Array.from({ length: 1000 }, (_, id) => [id, 'warm']));
    await master.result(999);
    master.values([
      [1000, 'a'],
      [1001, 'loop'],
      [1002, 'b'],
      [1003, 'c'],
      [1004, 'd'],
      [1005, 'e'],
    ]);
    const { ids, careful } = await master.message('returned');
    assert.equal(careful, true);
    assert.ok(ids.includes(1001));
    master.values(
      ids.map((id) => [id, id === 1001 ? 'loop' : 'x', { careful: true, loan: 1, attempt: 1 }]),
    );
    for (const id of ids) {
      const { kind, loan } = await master.result(id);
      assert.deepEqual([kind, loan], [id === 1001 ? 'error' : 'text', 1]);
    }
  },
);

test(
  'an asynchronous call times out by itself',
  { code: TOY, timeout: 300, cores: 1 },
  async (master) => {
    await master.message('hello');
    master.values([
      [0, 'sleep 5000'],
      [1, 'sleep 10'],
    ]);
    assert.equal(JSON.parse((await master.result(0)).text).kind, 'timeout');
    assert.equal((await master.result(1)).text, 'sleep 10');
    assert.equal(master.heard.filter(({ type }) => type === 'returned').length, 0);
  },
);

test(
  'a lost link: the worker goes on, the new hello says what is held',
  { code: TOY, cores: 1 },
  async (master) => {
    await master.message('hello');
    master.values([
      [0, 'sleep 600', { loan: 2 }],
      [1, 'x', { loan: 300 }],
      [2, 'y'],
    ]);
    await new Promise((resolve) => setTimeout(resolve, 200));
    master.socket.terminate();
    const again = await master.until(
      () => master.heard.filter(({ type }) => type === 'hello')[1],
      'a second hello',
    );
    assert.equal(again.job, master.options.job);
    assert.deepEqual(again.holds.sort(), ['0:2', '1:300', 2]);
    assert.equal((await master.result(0)).text, 'sleep 600');
    assert.equal((await master.result(2)).text, 'Y');
    assert.deepEqual(
      [0, 1, 2].map((id) => master.results.get(id).loan),
      [2, 300, 0],
    );
  },
);

test('a new job forgets what was held', { code: TOY, cores: 1 }, async (master) => {
  await master.message('hello');
  master.values([[0, 'sleep 1000']]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  master.options.job = 'j2';
  master.socket.terminate();
  await master.until(
    () => master.heard.filter(({ type }) => type === 'hello')[1],
    'a second hello',
  );
  master.values([[0, 'new']]);
  assert.equal((await master.result(0)).text, 'NEW');
  await new Promise((resolve) => setTimeout(resolve, 1200));
  assert.equal(master.results.get(0).text, 'NEW');
});

test(
  'recall and pause give back what was not begun',
  { code: TOY, cores: 1 },
  async (master, page) => {
    await master.message('hello');
    master.values([
      [0, 'sleep 1500'],
      [1, 'a'],
      [2, 'b'],
      [3, 'c'],
    ]);
    await master.message('started', 3000);
    master.say({ type: 'recall', ids: [0, 2] });
    assert.deepEqual((await master.message('returned')).ids, [2]);
    await page.click('#pause');
    const update = await master.message('update');
    assert.equal(update.cores, 0);
    assert.deepEqual(
      await master.until(
        () => master.heard.filter(({ type }) => type === 'returned')[1]?.ids,
        'returned',
      ),
      [1, 3],
    );
    await master.result(0);
    assert.equal(await page.textContent('#title'), 'Paused');
    await page.screenshot({ path: `${shots}/paused.png`, fullPage: true });
    await page.click('#pause');
    await master.until(
      () => master.heard.filter(({ type, cores }) => type === 'update' && cores === 1)[0],
      'an update',
    );
    master.values([[1, 'a']]);
    assert.equal((await master.result(1)).text, 'A');
  },
);

test(
  'another name, another number of cores',
  { code: TOY, fragment: '#device=My_Phone;cores=2' },
  async (master, page) => {
    const hello = await master.message('hello');
    assert.deepEqual([hello.name, hello.cores], ['My Phone', 2]);
    await page.fill('#name', 'Our tablet');
    await page.press('#name', 'Enter');
    assert.equal((await master.message('update')).name, 'Our tablet');
    await page.fill('#cores', '1');
    await page.press('#cores', 'Tab');
    await master.until(
      () => master.heard.find(({ type, cores }) => type === 'update' && cores === 1),
      'an update',
    );
  },
);

test('leaving hands back, says so, and stops', { code: TOY, cores: 1 }, async (master, page) => {
  await master.message('hello');
  master.values([
    [0, 'sleep 5000'],
    [1, 'a'],
  ]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await page.click('#leave');
  assert.deepEqual((await master.message('bye')).reason, 'left');
  assert.deepEqual((await master.message('returned')).ids.sort(), [0, 1]);
  await page.waitForFunction(
    () => document.querySelector('#title').textContent === 'You have left',
  );
  assert.equal(await page.isVisible('#again'), true);
});

test('a page that goes away hands back', { code: TOY, cores: 1 }, async (master, page) => {
  await master.message('hello');
  master.values([
    [0, 'sleep 5000'],
    [1, 'a'],
  ]);
  await new Promise((resolve) => setTimeout(resolve, 200));
  await page.evaluate(() =>
    dispatchEvent(new PageTransitionEvent('pagehide', { persisted: true })),
  );
  assert.equal((await master.message('bye')).reason, 'hidden');
  assert.deepEqual((await master.message('returned')).ids.sort(), [0, 1]);
  await page.evaluate(() =>
    dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true })),
  );
  await master.until(
    () => master.heard.filter(({ type }) => type === 'hello').length === 2,
    'a second hello',
  );
});

test('the end of the job', { code: TOY }, async (master, page) => {
  await master.message('hello');
  master.values([[0, 'a']]);
  await master.result(0);
  master.say({ type: 'bye', reason: 'done', text: 'The job is done.' });
  await page.waitForFunction(() => /thank you/.test(document.querySelector('#title').textContent));
  await page.screenshot({ path: `${shots}/done.png`, fullPage: true });
  assert.equal(master.heard.filter(({ type }) => type === 'hello').length, 1);
});

test('a token that is no longer known', { code: TOY }, async (master, page) => {
  await master.message('hello');
  master.options.token = 'another';
  master.socket.terminate();
  await page.waitForFunction(() =>
    /no longer known/.test(document.querySelector('#detail').textContent),
  );
  await page.screenshot({ path: `${shots}/refused.png`, fullPage: true });
});

test(
  'another function: the page loads itself again, once',
  { code: TOY, hash: 'new', pageHash: 'old' },
  async (master, page) => {
    await master.until(
      () => master.heard.filter(({ type }) => type === 'hello').length === 2,
      'a second hello',
    );
    await page.waitForFunction(() =>
      /new function/.test(document.querySelector('#detail').textContent),
    );
    await new Promise((resolve) => setTimeout(resolve, 1000));
    assert.equal(master.heard.filter(({ type }) => type === 'hello').length, 2);
  },
);

test('a function that cannot be loaded here', { code: 'var a = ;' }, async (master, page) => {
  assert.match((await master.message('broken')).message, /SyntaxError/);
  await page.waitForFunction(() => /cannot run/.test(document.querySelector('#title').textContent));
  master.values([[0, 'a']]);
  assert.deepEqual((await master.message('returned')).ids, [0]);
});

test(
  'what is malformed closes the channel, and it is opened again',
  { code: TOY },
  async (master) => {
    await master.message('hello');
    master.socket.send(Buffer.from([1, 0, 3, 1, 97]));
    await master.until(
      () => master.heard.filter(({ type }) => type === 'hello').length === 2,
      'a second hello',
    );
  },
);

test(
  'silence for three heartbeats closes the channel',
  { code: TOY, heartbeat: 300 },
  async (master) => {
    await master.message('hello');
    master.text = (ws, message) => {
      if (message.type === 'hello') (master.heard.push(message), master.notify());
    };
    await master.until(
      () => master.heard.filter(({ type }) => type === 'hello').length === 2,
      'a second hello',
      4000,
    );
  },
);

const STAGE = `
  var clicks = 0;
  function answer(button) { window.done(button.textContent); }
  globalThis.__pandoModule = { exports: { '/pando/1.0.0': function (x, cb) {
    if (global !== window) return cb(new Error('global is not window'));
    window.done = (said) => cb(null, x + ' ' + said);
    document.getElementById('visualization').insertAdjacentHTML('beforeend', '<p class="kept">' + x + '</p><button onclick="answer(this)">yes</button>');
  } } };`;

test('a function with a document', { code: STAGE, dom: true }, async (master, page) => {
  assert.equal((await master.message('hello')).cores, 1);
  master.values([
    [0, 'one'],
    [1, 'two'],
  ]);
  await page.click('#visualization button:last-of-type');
  assert.equal((await master.result(0)).text, 'one yes');
  await page.waitForFunction(() => document.querySelectorAll('.kept').length === 2);
  await page.screenshot({ path: `${shots}/dom.png`, fullPage: true });
  await page.click('#visualization button:last-of-type');
  assert.equal((await master.result(1)).text, 'two yes');
});

test('the page while it computes', { code: TOY }, async (master, page) => {
  await master.message('hello');
  let id = 0;
  const more = () => master.values(Array.from({ length: 3 }, () => [id++, 'sleep 40']));
  const timer = setInterval(more, 50);
  await page.waitForFunction(() => document.querySelector('#title').textContent === 'Computing');
  await new Promise((resolve) => setTimeout(resolve, 2500));
  await page.screenshot({ path: `${shots}/computing.png`, fullPage: true });
  await page.emulateMedia({ colorScheme: 'dark' });
  await page.screenshot({ path: `${shots}/computing-dark.png`, fullPage: true });
  clearInterval(timer);
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  assert.ok(overflow <= 0, `the page is ${overflow} px too wide`);
});
