//! The engines of this machine's cores: each gives the same results.

use pando_testing::{PandoCommand, find_program, path_with_engines};

/// What functions use of the world around the language; one line per item.
const WORLD: &str = r#"
const url = (...words) => { try { const u = new URL(...words); return [u.href, u.origin, u.host, u.pathname, u.search, u.hash] } catch { return 'invalid' } };
const text = (bytes, options) => new TextDecoder('utf-8', options).decode(Uint8Array.from(bytes));
const items = {
  async timers() {
    const said = [];
    const every = setInterval(() => said.push('every'), 20);
    clearTimeout(setTimeout(() => said.push('never'), 1));
    queueMicrotask(() => said.push('micro'));
    await new Promise((done) => setTimeout((...args) => { said.push(...args); done(); }, 5, 'a', 'b'));
    while (!said.includes('every')) await new Promise((done) => setTimeout(done, 5));
    clearInterval(every);
    return said;
  },
  encoding() {
    const { read, written } = new TextEncoder().encodeInto('aé😀b', new Uint8Array(6));
    const parts = new TextDecoder();
    return [
      [...new TextEncoder().encode('aé€😀\ud800')], read, written,
      text([0xef, 0xbb, 0xbf, 104, 195, 169, 240, 159, 152, 128]), text([0xef, 0xbb, 0xbf, 97], { ignoreBOM: true }).length,
      text([97, 0xff, 0xe2, 0x82, 98, 0xc0, 0x80, 0xed, 0xa0, 0x80]),
      parts.decode(Uint8Array.from([0xe2, 0x82]), { stream: true }) + parts.decode(Uint8Array.from([0xac])),
      (() => { try { return text([0xff], { fatal: true }) } catch (error) { return error.constructor.name } })(),
    ];
  },
  base64: () => [btoa('héllo'), btoa(''), atob('aGk='), atob(' aGk '), (() => { try { return atob('a') } catch { return 'refused' } })()],
  url: () => [
    url('http://User:Pa ss@EXAMPLE.org:80/a/./b/../c d?x=1 2&y#z z'), url('../up?q', 'https://h:8443/a/b/c?old#old'), url('//other/x', 'https://h/'),
    url('file:///etc/x'), url('mailto:a@b'), url('?only', 'http://h/p?q#f'), url('#f', 'http://h/p?q'), url('http://'), url('nothing'), url('https://h/%7Ea/ü'),
    url('http:\\\\h\\p'), url('http://[::1]:5000/'), URL.canParse('x:y'),
  ],
  query() {
    const query = new URLSearchParams('a=1&b=2&a=3+4%20%C3%A9&c');
    query.append('d', 'x&y ~*'); query.set('b', 'new'); query.delete('c'); query.sort();
    const u = new URL('http://h/?k=v'); u.searchParams.set('k', 'w w'); u.hash = 'top'; u.pathname = '/a b';
    return [String(query), query.getAll('a'), query.get('none'), [...query.keys()], query.has('d'), String(new URLSearchParams({ q: 'ä' })), u.href, JSON.stringify({ u })];
  },
  clone() {
    const value = { map: new Map([['k', new Set([1])]]), date: new Date(5), bytes: new Uint8Array([1, 2, 3]).subarray(1), pattern: /a/g, big: 5n };
    value.self = value;
    const copy = structuredClone(value);
    const refused = (() => { try { return structuredClone(() => 1) } catch (error) { return error.name } })();
    const moved = new Uint8Array([7, 8]);
    const taken = structuredClone(moved, { transfer: [moved.buffer] });
    return [[...taken], moved.length, copy !== value, copy.self === copy, copy.map.get('k').has(1), copy.date.getTime(), [...copy.bytes], String(copy.pattern), String(copy.big), refused];
  },
  async abort() {
    const controller = new AbortController();
    const seen = [];
    controller.signal.addEventListener('abort', (event) => seen.push(event.type), { once: true });
    controller.signal.onabort = () => seen.push('onabort');
    controller.abort(); controller.abort();
    return [seen.sort(), controller.signal.aborted, controller.signal.reason.name, AbortSignal.abort('x').reason, await new Promise((done) => { const timed = AbortSignal.timeout(1); timed.addEventListener('abort', () => done(timed.reason.name)); })];
  },
  crypto: () => [/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID()), crypto.getRandomValues(new Uint32Array(4)).some((n) => n > 0)],
  async blob() {
    const file = new File([new Blob(['hé', Uint8Array.of(1, 2, 3).subarray(1)]), new ArrayBuffer(1), 5], 'a.txt', { type: 'Text/Plain', lastModified: 7 });
    const part = file.slice(-3, -1, 'x/y');
    return [
      file.size, file.type, file.name, file.lastModified, file instanceof Blob, new Blob().type,
      [...new Uint8Array(await file.arrayBuffer())], await file.text(), part.size, part.type, part.constructor.name, String(part),
    ];
  },
  time: () => [performance.now() >= 0, Math.abs(performance.timeOrigin + performance.now() - Date.now()) < 5000],
  world: () => [typeof process, typeof require, typeof self, self === globalThis, typeof console.log, location.href],
};
export default async (name) => items[name]();
"#;

/// The items of the function, and their results by an engine.
fn results(engine: &str) -> Vec<String> {
    let items = [
        "timers", "encoding", "base64", "url", "query", "clone", "abort", "crypto", "blob", "time",
        "world",
    ];
    let run = PandoCommand::new(WORLD).with_file("f.mjs", WORLD).function("f.mjs").local();
    let run = run.env("PATH", path_with_engines());
    let ended = run.args(["--engine", engine, "--cores", "1"]).args(items).run();
    ended.lines()
}

#[test]
fn the_embedded_engine_gives_the_results_of_node() {
    assert_eq!(results("embedded"), results("node"));
}

#[test]
fn deno_and_bun_give_the_results_of_node() {
    for engine in ["deno", "bun"].into_iter().filter(|engine| find_program(engine).is_some()) {
        assert_eq!(results(engine), results("node"), "{engine}");
    }
}

#[test]
fn errors_of_deno_and_bun_have_their_places() {
    let f = "const g = (x) => {\n  throw new TypeError('boom')\n}\nexport default (x) => g(x)\n";
    for engine in ["deno", "bun"].into_iter().filter(|engine| find_program(engine).is_some()) {
        let run = PandoCommand::new(f).local().args(["--engine", engine, "--retries", "0", "1"]);
        let ended = run.env("PATH", path_with_engines()).run();
        ended.ends(1, "").said(&["TypeError: boom", "at g (f.js:2:"]);
    }
}

#[test]
fn a_machine_without_node_computes_with_the_embedded_engine() {
    let empty = tempfile::tempdir().expect("a folder can be made");
    let run = PandoCommand::f("(x, cb) => setTimeout(cb, 1, null, x * 2)").local();
    let ended = run.args(["1", "2", "3"]).env("PATH", empty.path()).run();
    ended.gives("2\n4\n6\n").said(&["Node.js was not found", "QuickJS", "9 to 16 times slower"]);
}

#[test]
fn errors_of_the_embedded_engine_have_their_places() {
    let source = "module.exports = (x) => {\n  if (x === '1') throw new TypeError('boom');\n  if (x === '2') setTimeout(() => { throw new Error('late') });\n  if (x === '3') Promise.reject(new Error('lost'));\n  if (x === '4') return new Promise(() => {});\n  if (x === '5') for (;;);\n  const deep = (n) => deep(n + 1) + 1;\n  if (x === '6') deep(0);\n  console.log('hello', x);\n  return x === '7' ? x : new Promise(() => {});\n};\n";
    let args = ["--engine", "embedded", "--cores", "1", "--timeout", "1s", "--retries", "0"];
    let args = [&args[..], &["--on-error", "skip", "1", "2", "3", "4", "5", "6", "7"]].concat();
    let ended = PandoCommand::new(source).local().args(args).run();
    ended.ends(1, "7\n").said(&[
        "TypeError: boom",
        "f.js:2:",
        "late",
        "lost",
        "no answer within 1 s",
        "stack",
        "hello 7",
    ]);
}
