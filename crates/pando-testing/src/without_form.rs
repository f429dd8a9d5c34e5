//! Results that JSON would leave out or tell as something else, and results that it tells whole:
//! the same on every device.

use super::{finished::Finished, text::lines};

/// What is answered, and how the error about it ends, or goes on.
const REFUSED: [(&str, &str); 69] = [
    ("[1, 2].map(async v => v * 2)", "[0] is a promise: await it, for instance with Promise.all"),
    ("({ a: { then() {} } })", ".a is a promise"),
    ("(function () { return arguments })(1, 2)", " is an Arguments: answer Array.from(it)"),
    ("({ a: (function () { return arguments })() })", ".a is an Arguments"),
    ("(function * () { yield x })()", " is a Generator"),
    ("(async function * () { yield x })()", " is an AsyncGenerator"),
    ("[1].values()", " is an Array Iterator"),
    ("new Map([[1, 2]])", " is a Map"),
    ("new Proxy(new Map(), {})", " is a Map"),
    ("({ found: new Set([1]) })", ".found is a Set"),
    ("Object.assign(new Set(), { name: 'set' })", " is a Set"),
    ("[new WeakMap()]", "[0] is a WeakMap"),
    ("Object.assign(new WeakMap(), { name: 'map' })", " is a WeakMap"),
    ("new WeakSet()", " is a WeakSet"),
    ("new WeakRef({})", " is a WeakRef"),
    ("[new Error('x')]", "[0] is an Error"),
    ("Object.assign(new TypeError('x'), { code: 'E' })", " is an Error"),
    ("new DOMException('x')", " is a DOMException"),
    ("/x/", " is a RegExp"),
    ("new Intl.NumberFormat()", " is a"),
    ("[Math]", "[0] is a Math"),
    ("JSON", " is a JSON"),
    ("({ world: globalThis })", ".world"),
    ("new URLSearchParams('a=1')", " is a URLSearchParams"),
    ("new Headers({ a: '1' })", " is a Headers"),
    ("new FormData()", " is a FormData"),
    ("new Request('http://localhost/')", " is a Request"),
    ("new Response('x')", " is a Response: answer its body"),
    ("({ picture: new Blob(['x']) })", ".picture is a Blob"),
    ("[new File(['x'], 'name')]", "[0] is a File"),
    ("new ReadableStream()", " is a ReadableStream"),
    ("new Event('x')", " is an Event"),
    ("[new MessageEvent('x', { data: 1 })]", "[0] is a"),
    ("new AbortController()", " is an AbortController"),
    ("new TextEncoder()", " is a TextEncoder"),
    ("[new ImageData(1, 1)]", "[0] is an ImageData"),
    ("new WebAssembly.Memory({ initial: 1 })", " is a"),
    (
        "crypto.subtle.generateKey({ name: 'HMAC', hash: 'SHA-256' }, true, ['sign'])",
        " is a CryptoKey",
    ),
    ("({ data: new Float64Array(2) })", ".data is a Float64Array"),
    ("[new ArrayBuffer(1)]", "[0] is an ArrayBuffer"),
    ("[new DataView(new ArrayBuffer(1))]", "[0] is a DataView"),
    ("new SharedArrayBuffer(1)", " is a SharedArrayBuffer"),
    ("Symbol('s')", " is a symbol"),
    ("[Symbol.iterator]", "[0] is a symbol"),
    ("Object(Symbol('s'))", " is a Symbol"),
    ("BigInt(1)", " is a BigInt"),
    ("({ big: [BigInt(1)] })", ".big[0] is a BigInt"),
    ("Object(BigInt(1))", " is a BigInt"),
    ("({ at: { f () {} } })", ".at.f is a function"),
    ("class A {}", " is a function"),
    ("NaN", " is NaN"),
    ("({ energy: NaN })", ".energy is NaN"),
    ("({ 'a b': [-Infinity] })", "[\"a b\"][0] is -Infinity"),
    ("[new Number(NaN)]", "[0] is NaN"),
    ("new Date(NaN)", " is an invalid date"),
    ("({ when: [new Date(NaN)] })", ".when[0] is an invalid date"),
    ("[1, , 2]", "[1] is undefined"),
    ("[undefined]", "[0] is undefined"),
    ("(o => o.list = [o])({})", "[0].list is a cycle"),
    ("new (class Hidden { #x = 1 })", " is a Hidden"),
    ("new (class Shown { get x () { return 1 } })", " is a Shown"),
    ("Object.create({ a: 1 })", " is an Object: JSON sees none of its data"),
    ("({ [Symbol('s')]: 1 })", " is an Object: JSON sees none of its data"),
    ("[Object.defineProperty({}, 'a', { value: 1 })]", "[0] is an Object"),
    ("Object.assign(Object.create(null), { [Symbol('s')]: 1 })", " is an Object"),
    ("({ toJSON: () => new Map() })", " is a Map"),
    ("Object.assign([1], { toJSON: () => new Map() })", " is a Map"),
    ("Object.assign([1], { toJSON () {} })", " is undefined"),
    ("({ a: { toJSON: () => NaN } })", ".a is NaN"),
];

/// What is answered, and what is said of it besides that it has no JSON form.
const UNREADABLE: [(&str, &str); 4] = [
    ("({ get a () { throw new Error('not this') } })", "not this"),
    ("({ toJSON () { throw new Error('not this') } })", "not this"),
    ("new Proxy({}, { ownKeys () { throw new Error('not these') } })", "not these"),
    ("nested(200000)", "it is nested too deeply: answer flatter data"),
];

/// What is answered, and printed.
const TOLD: [(&str, &str); 17] = [
    (
        "({ a: [1, null, new Date(0)], b: undefined })",
        r#"{"a":[1,null,"1970-01-01T00:00:00.000Z"]}"#,
    ),
    ("({})", "{}"),
    ("[[]]", "[[]]"),
    ("-0", "0"),
    ("[-0]", "[0]"),
    ("Object.create(null)", "{}"),
    ("Object.assign(Object.create(null), { a: 1 })", r#"{"a":1}"#),
    ("new (class Point { constructor () { this.x = 1 } get y () { return 2 } })", r#"{"x":1}"#),
    (
        "new (class Point { constructor () { this.x = 1 } get [Symbol.toStringTag] () { return 'Point' } })",
        r#"{"x":1}"#,
    ),
    ("({ get a () { return 1 } })", r#"{"a":1}"#),
    ("[new String('a'), new Number(1), new Boolean(false)]", r#"["a",1,false]"#),
    ("new URL('http://h/')", r#""http://h/""#),
    ("({ toJSON: () => [1] })", "[1]"),
    ("'abc'.match(/b/)", r#"["b"]"#),
    ("({ [Symbol('s')]: 1, b: 2 })", r#"{"b":2}"#),
    ("(o => [o, o])({ a: 1 })", r#"[{"a":1},{"a":1}]"#),
    ("[Buffer.from('a')]", r#"[{"type":"Buffer","data":[97]}]"#),
];

/// A default export that answers what the value says; where an engine has no such thing, it says
/// so.
pub fn function() -> String {
    let list: String = expressions().map(|expression| format!("() => ({expression}),\n")).collect();
    format!(
        "const nested = (depth) => {{ let all = []; while (depth--) all = [all]; return all }}
        const missing = (error) => /^Reference/.test(error.name) ? 'missing' : Promise.reject(error)
        const answers = [{list}]
        export default (x) => {{ try {{ return answers[x]() }} catch (error) {{ return missing(error) }} }}"
    )
}

/// A value for each of them.
pub fn input() -> String {
    lines(0..expressions().count())
}

fn expressions() -> impl Iterator<Item = &'static str> {
    TOLD.iter().chain(&REFUSED).chain(&UNREADABLE).map(|(expression, _)| *expression)
}

/// Asserts that a run with these and `--on-error skip --retries 0` printed and said what is right,
/// by one device called `device`.
#[track_caller]
pub fn all_right(run: &Finished, device: &str) {
    let text = run.text();
    let (missing, printed): (Vec<_>, Vec<_>) = text.lines().partition(|line| *line == "missing");
    assert_eq!(printed, TOLD.map(|(_, printed)| printed), "{}", run.stderr);
    let mut skipped = 0;
    for (n, (expression, words)) in REFUSED.iter().chain(&UNREADABLE).enumerate() {
        let start = format!(
            "item {} failed on {device}: the answer has no JSON form: ",
            TOLD.len() + n + 1
        );
        let said = run.stderr.lines().find_map(|line| line.split_once(&start));
        match said {
            Some((_, said)) if n < REFUSED.len() => {
                assert!(said.starts_with(&format!("result{words}")), "{expression}: {said}")
            }
            Some((_, said)) => assert!(said.contains(words), "{expression}: {said}"),
            None => skipped += 1,
        }
    }
    assert_eq!(skipped, missing.len(), "{}", run.stderr);
}
