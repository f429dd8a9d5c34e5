//! Values, results, and the environment of a function.

use crate::{matrix::scenarios, open, tabs_only};
use pando_testing::{Browser, PandoCommand, lines, numbers, without_form};

scenarios! {
    a_map_keeps_order
    node_s_built_ins_work_in_workers
    a_dom_function_sees_the_document
    what_json_cannot_tell_is_an_error_that_names_its_path
    what_a_document_is_made_of_is_no_json
}

fn a_map_keeps_order(browser: &mut Browser) {
    let f = "(x, cb) => setTimeout(() => cb(null, x * 2), Number(x) % 5)";
    let run = tabs_only(f).args(["--concurrency", "4"]).stdin(numbers(400)).start();
    open(browser, &run, "Ann");
    open(browser, &run, "Bob");
    run.wait().gives(lines((1..=400).map(|n| n * 2)));
}

/// Code, and its result as text.
const BUILT_INS: [(&str, &str); 16] = [
    ("Buffer.from('äöü€').toString('base64')", "w6TDtsO84oKs"),
    (
        "require('zlib').gunzipSync(require('zlib').gzipSync('ä'.repeat(1000))).toString().length",
        "1000",
    ),
    ("require('zlib').inflateRawSync(require('zlib').deflateRawSync(Buffer.from('abc')))", "abc"),
    (
        "require('crypto').createHash('sha256').update('abc').digest('hex').slice(0, 16)",
        "ba7816bf8f01cfea",
    ),
    (
        "require('crypto').createHmac('sha1', 'key').update('abc').digest('base64')",
        "T9CyFSdu8S8rPkyOysKBFJi2Vvw=",
    ),
    ("require('crypto').randomBytes(12).length", "12"),
    ("require('crypto').pbkdf2Sync('a', 'b', 2, 8, 'sha256').toString('hex').length", "16"),
    ("require('util').format('%s %d %j', 'a', 1, { b: [2] })", "a 1 {\"b\":[2]}"),
    ("new (require('events'))().on('e', (e) => { said = e }).emit('e', 7) && said", "7"),
    ("require('path').join('/a/b', '../c')", "/a/c"),
    ("require('querystring').stringify({ a: 1, b: 'c d' })", "a=1&b=c%20d"),
    ("require('url').parse('http://h:1/p?q=2').query", "q=2"),
    (
        "new (require('string_decoder').StringDecoder)('utf8').write(Buffer.from([0xe2, 0x82, 0xac]))",
        "€",
    ),
    (
        "(() => { try { require('assert').strictEqual(1, 2) } catch (e) { return e.code } })()",
        "ERR_ASSERTION",
    ),
    (
        "new Promise((done) => require('stream').Readable.from(['a', 'b']).on('data', (d) => (said += d)).on('end', () => done(said)))",
        "ab",
    ),
    (
        "new Promise((done) => process.nextTick(() => setImmediate(done, typeof process.version)))",
        "string",
    ),
];

fn node_s_built_ins_work_in_workers(browser: &mut Browser) {
    let cases: String = BUILT_INS.iter().map(|(code, _)| format!("() => {code},\n")).collect();
    let source = format!(
        "var said = ''\nconst cases = [\n{cases}]\n\
         module.exports['/pando/1.0.0'] = (x, cb) => {{ said = ''; Promise.resolve().then(cases[x]).then((r) => cb(null, r), cb) }}\n"
    );
    let input = lines(0..BUILT_INS.len());
    let run =
        PandoCommand::new(&source).args(["--cores", "0", "--retries", "0"]).stdin(input).start();
    open(browser, &run, "Ann");
    run.wait().gives(lines(BUILT_INS.map(|(_, result)| result)));
}

fn a_dom_function_sees_the_document(browser: &mut Browser) {
    let f = "function (x, cb) {
      var element = document.getElementById('visualization')
      var before = element.children.length
      element.insertAdjacentHTML('beforeend', '<p onclick=\"window.clicked = this.textContent\">' + x + '</p>')
      element.lastChild.click()
      setTimeout(function () { cb(null, [clicked, before, global === window, getComputedStyle(element).display].join(' ')) }, 5)
    }";
    let run = PandoCommand::f(f).args(["--dom"]).stdin("a\nb\nc\n").start();
    open(browser, &run, "Ann");
    run.wait().gives("a 0 true block\nb 1 true block\nc 2 true block\n");
}

fn what_json_cannot_tell_is_an_error_that_names_its_path(browser: &mut Browser) {
    let run = PandoCommand::new(&without_form::function()).args([
        "--cores",
        "0",
        "--retries",
        "0",
        "--on-error",
        "skip",
    ]);
    let run = run.stdin(without_form::input()).start();
    open(browser, &run, "Ann");
    without_form::all_right(run.wait().status(1), "Ann");
}

/// What a function with a document may answer, and what is said of it.
const OF_A_DOCUMENT: [(&str, &str); 7] = [
    ("document.body", " is a HTMLBodyElement"),
    ("[document.getElementById('visualization').firstChild]", "[0] is a Text"),
    ("({ all: document.querySelectorAll('p') })", ".all is a NodeList"),
    ("document.getElementById('chosen').files", " is a FileList"),
    (
        "document.getElementById('chosen').dataset",
        " is a DOMStringMap: answer Object.assign({}, it)",
    ),
    ("new MouseEvent('click')", " is a MouseEvent"),
    ("location", " is a Location"),
];

fn what_a_document_is_made_of_is_no_json(browser: &mut Browser) {
    let list: String =
        OF_A_DOCUMENT.iter().map(|(answer, _)| format!("() => ({answer}), ")).collect();
    let f = format!(
        "export default (x) => {{
          const stage = document.getElementById('visualization')
          stage.innerHTML = 'text <input type=file id=chosen data-a=1>'
          return x === 'fine' ? [stage.getBoundingClientRect().x >= 0, Object.assign({{}}, chosen.dataset)] : [{list}][x]()
        }}"
    );
    let input = "fine\n".to_owned() + &lines(0..OF_A_DOCUMENT.len());
    let run = PandoCommand::new(&f)
        .args(["--dom", "--retries", "0", "--on-error", "skip"])
        .stdin(input)
        .start();
    open(browser, &run, "Ann");
    let run = run.wait();
    run.ends(1, "[true,{\"a\":\"1\"}]\n");
    for (n, (_, words)) in OF_A_DOCUMENT.iter().enumerate() {
        run.said(&[&format!(
            "item {} failed on Ann: the answer has no JSON form: result{words}",
            n + 2
        )]);
    }
}
