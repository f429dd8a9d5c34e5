//! npm packages, and files that are not JavaScript.

use serde_json::json;

use pando_bundler::Options;

use crate::support::{Folder, OPTIONS, bundle_with, result_of, run};

#[test]
fn packages_come_from_the_functions_folder_upwards() {
    let folder = Folder::with(&[
        (
            "a/b/render.js",
            "var near = require('near'), far = require('@far/away/sub/path')\nmodule.exports = x => [near, far]",
        ),
        ("a/node_modules/near/package.json", r#"{"main": "lib/main"}"#),
        ("a/node_modules/near/lib/main.js", "module.exports = 'near'"),
        ("node_modules/@far/away/sub/path.js", "exports.far = true"),
        ("node_modules/near/index.js", "module.exports = 'the wrong one'"),
    ]);
    assert_eq!(folder.answer("a/b/render.js", "")["result"], json!(["near", {"far": true}]));
}

#[test]
fn a_browser_map_comes_before_the_built_ins() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = x => require('mapped')"),
        (
            "node_modules/mapped/package.json",
            r#"{"main": "node.js", "browser": {"./node.js": "./web.js", "fs": false, "os": "./os.js", "crypto": "other"}}"#,
        ),
        ("node_modules/mapped/node.js", "module.exports = 'for Node'"),
        (
            "node_modules/mapped/web.js",
            "module.exports = [Object.keys(require('fs')), require('os'), require('crypto'), typeof require('path').join]",
        ),
        ("node_modules/mapped/os.js", "module.exports = 'its own os'"),
        ("node_modules/other/index.js", "module.exports = 'another package'"),
    ]);
    assert_eq!(folder.result(""), json!([[], "its own os", "another package", "function"]));
    assert_eq!(folder.bundle().warnings, Vec::<String>::new());
}

#[test]
fn browser_and_exports_fields_choose_the_file() {
    let folder = Folder::with(&[
        ("render.js", "import a from 'a'\nimport b from 'b/part'\nexport default x => [a, b]"),
        ("node_modules/a/package.json", r#"{"main": "m.js", "browser": "b.js"}"#),
        ("node_modules/a/b.js", "module.exports = 'browser'"),
        (
            "node_modules/b/package.json",
            r#"{"exports": {"./part": {"node": "./n.js", "browser": "./b.mjs", "default": "./d.js"}}}"#,
        ),
        ("node_modules/b/b.mjs", "export default 'browser module'"),
    ]);
    assert_eq!(folder.result(""), json!(["browser", "browser module"]));
}

#[test]
fn an_optional_package_may_be_missing() {
    let source = "var native\ntry { native = require('not-there') } catch (error) { native = 'without' }\nmodule.exports = x => native";
    assert_eq!(Folder::with(&[("render.js", source)]).result(""), json!("without"));
}

#[test]
fn a_missing_optional_package_throws_what_node_throws() {
    let source = "var codes = []\n\
        function note (e) { codes.push(e.code) }\n\
        try { require('not-there') } catch (e) { note(e) }\n\
        try { require('./not-there') } catch (e) { note(e) }\n\
        try { module.exports = require('os') && (x => codes) } catch (e) { note(e) }";
    let code = "MODULE_NOT_FOUND";
    assert_eq!(Folder::with(&[("render.js", source)]).result(""), json!([code, code]));
}

#[test]
fn require_is_a_function() {
    let source = "var load = require, own = (function (require) { return require('b') })(function (x) { return 'own ' + x })\n\
        if (typeof require === 'function') var answers = [typeof require, load === require, require.main === undefined, own]\n\
        module.exports = function (x) {\n\
        [require, require.resolve, function () { return require('lib') }].forEach(function (f) {\n\
        try { answers.push(f(x)) } catch (e) { answers.push(e.code) } })\n\
        return answers }";
    let folder = Folder::with(&[
        ("render.js", source),
        (
            "node_modules/lib/index.js",
            "module.exports = typeof require === 'function' ? 'lib' : window.lib",
        ),
        ("module.mjs", "const require = x => x\nexport default x => [typeof require, require(x)]"),
    ]);
    let code = "MODULE_NOT_FOUND";
    assert_eq!(folder.result("any"), json!(["function", true, true, "own b", code, code, "lib"]));
    assert_eq!(folder.answer("module.mjs", "any")["result"], json!(["function", "any"]));
}

#[test]
fn require_gives_a_packages_main_and_import_its_module() {
    let folder = Folder::with(&[
        (
            "render.js",
            "module.exports = x => [require('both')(x), require('both/sub')(x), require('only').default]",
        ),
        ("module.mjs", "import both from 'both'\nexport default x => both(x)"),
        ("node_modules/both/package.json", r#"{"main": "./main", "module": "lib/module"}"#),
        ("node_modules/both/main.js", "module.exports = x => 'main ' + x"),
        ("node_modules/both/lib/module.js", "export default x => 'module ' + x"),
        ("node_modules/both/sub/package.json", r#"{"main": "../sub.js", "module": "../lib/sub"}"#),
        ("node_modules/both/sub.js", "module.exports = x => 'sub ' + x"),
        ("node_modules/both/lib/sub/index.js", "export default x => 'module of sub ' + x"),
        ("node_modules/only/package.json", r#"{"module": "module.js"}"#),
        ("node_modules/only/module.js", "export default 'module'"),
    ]);
    assert_eq!(folder.result("x"), json!(["main x", "sub x", "module"]));
    assert_eq!(folder.answer("module.mjs", "x")["result"], json!("module x"));
}

#[test]
fn require_also_gives_a_package_that_is_only_for_import() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = x => [require('lib').default(x), require('lib/sub').name]"),
        (
            "node_modules/lib/package.json",
            r#"{"type": "module", "exports": {".": {"import": "./a.js"}, "./sub": {"import": "./sub.js"}}}"#,
        ),
        ("node_modules/lib/a.js", "export default x => 'module ' + x"),
        ("node_modules/lib/sub.js", "export const name = 'sub'"),
    ]);
    assert_eq!(folder.result("x"), json!(["module x", "sub"]));
}

#[test]
fn a_native_addon_throws_so_that_its_package_takes_another_way() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = x => require('fast')"),
        (
            "node_modules/fast/index.js",
            "try { module.exports = require('./fast.node') } catch (e) { module.exports = 'slow: ' + e.message }",
        ),
        ("node_modules/fast/fast.node", "binary"),
    ]);
    assert_eq!(folder.result(""), json!("slow: a native addon only runs in Node"));
    let main = Folder::with(&[
        (
            "render.js",
            "let fast; try { fast = require('fast') } catch (error) { fast = error.message }\nmodule.exports = () => fast",
        ),
        ("node_modules/fast/package.json", r#"{"main": "build/fast.node"}"#),
        ("node_modules/fast/build/fast.node", "binary"),
    ]);
    assert_eq!(main.result(""), json!("a native addon only runs in Node"));
}

#[test]
fn a_built_in_wins_over_a_package_of_its_name() {
    let folder = Folder::with(&[
        (
            "render.js",
            "module.exports = x => [typeof require('events').once, require('events/'), require('buffer/')]",
        ),
        ("node_modules/events/index.js", "module.exports = 'package'"),
        ("node_modules/buffer/index.js", "module.exports = 'package'"),
    ]);
    assert_eq!(folder.result(""), json!(["function", "package", "package"]));
}

#[test]
fn names_of_folders_do_not_matter() {
    for name in ["with space", "c#", "50%", "\u{e9}t\u{e9}", "it's"] {
        let entry = format!("{name}/render.js");
        let other = format!("{name}/old.js");
        let folder = Folder::with(&[
            (&entry, "module.exports = x => require('./old')"),
            (&other, "module.exports = 010"),
        ]);
        assert_eq!(folder.answer(&entry, ""), json!({"result": 8}), "{name}");
    }
}

#[test]
fn text_and_json_files_can_be_required() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = x => [require('./data').list[1], require('./words.txt')]"),
        ("data.json", r#"{"list": [1, 2]}"#),
        ("words.txt", "one two"),
    ]);
    assert_eq!(folder.result(""), json!([2, "one two"]));
}

#[cfg(unix)]
#[test]
fn real_packages_work() {
    let source = "var BigNumber = require('bignumber.js'), sha = require('sha.js')\n\
        module.exports['/pando/1.0.0'] = function (x, cb) {\n\
        cb(null, [new BigNumber(x).pow(3).toString(10), sha('sha256').update('abc').digest('hex').slice(0, 8)]) }";
    let folder = Folder::with(&[
        ("render.js", source),
        ("module.mjs", "import BigNumber, { BigNumber as Named } from 'bignumber.js'\nexport default x => [new BigNumber(x).plus(1).toFixed(), BigNumber === Named]"),
    ])
    .install(&["bignumber.js", "sha.js"]);
    assert_eq!(
        folder.result("12345678901"),
        json!(["1881676372246402223439821666701", "ba7816bf"])
    );
    assert_eq!(folder.answer("module.mjs", "1")["result"], json!(["2", true]));
}

#[test]
fn what_a_package_calls_optional_may_be_missing_wherever_it_is_required() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = x => require('lib')"),
        (
            "node_modules/lib/package.json",
            r#"{"peerDependenciesMeta": {"peer": {"optional": true}}, "optionalDependencies": {"@a/b": "1"}}"#,
        ),
        (
            "node_modules/lib/index.js",
            "const load = (f) => { try { return f() } catch (error) { return error.code } }
             module.exports = [load(() => require('peer/sub')), load(() => require('@a/b'))]",
        ),
    ]);
    assert_eq!(folder.result(""), json!(["MODULE_NOT_FOUND", "MODULE_NOT_FOUND"]));
    let module = Folder::with(&[
        ("render.mjs", "import f from 'lib'\nexport default f"),
        (
            "node_modules/lib/package.json",
            r#"{"type": "module", "peerDependenciesMeta": {"peer": {"optional": true}}}"#,
        ),
        (
            "node_modules/lib/index.js",
            "export default (x) => import('peer').then(() => 'there', (error) => error.code)",
        ),
    ]);
    assert_eq!(module.answer("render.mjs", "")["result"], json!("MODULE_NOT_FOUND"));
    let lazy = Folder::with(&[
        ("render.mjs", "import f from 'lib'\nexport default f"),
        (
            "node_modules/lib/package.json",
            r#"{"type": "module", "peerDependenciesMeta": {"peer": {"optional": true}}}"#,
        ),
        (
            "node_modules/lib/index.js",
            "export default (x) => import('./driver.js').then(() => 'there', (error) => error.message)",
        ),
        (
            "node_modules/lib/driver.js",
            "import peer, { named } from 'peer'\nimport * as all from 'peer/sub'\nexport { other } from 'peer'\nexport default [peer, named, all]",
        ),
    ]);
    let message =
        "Cannot find module 'peer': it is optional, and is not installed (npm install peer)";
    assert_eq!(lazy.answer("render.mjs", "")["result"], json!(message));
}

#[test]
fn packages_have_their_form_for_workers_or_for_pages() {
    let folder = Folder::with(&[
        (
            "render.js",
            "module.exports = x => [require('entity'), require('older'), require('older/more')]",
        ),
        (
            "node_modules/entity/package.json",
            r#"{"exports": {"worker": "./worker.js", "browser": "./page.js", "default": "./page.js"}}"#,
        ),
        ("node_modules/entity/worker.js", "module.exports = 'worker'"),
        ("node_modules/entity/page.js", "module.exports = 'page'"),
        (
            "node_modules/older/package.json",
            r#"{"browser": {"./a.js": "./a.browser.js", "./b.js": "./b.browser.js"}, "react-native": {"./a.js": "./a.js", "./b.js": "./c.js"}}"#,
        ),
        ("node_modules/older/index.js", "module.exports = [require('./a'), require('./b.js')]"),
        ("node_modules/older/more/index.js", "module.exports = require('../a.js')"),
        ("node_modules/older/a.js", "module.exports = 'a'"),
        ("node_modules/older/b.js", "module.exports = 'b'"),
        ("node_modules/older/a.browser.js", "module.exports = 'a for pages'"),
        ("node_modules/older/b.browser.js", "module.exports = 'b for browsers'"),
    ]);
    assert_eq!(folder.result(""), json!(["worker", ["a", "b for browsers"], "a"]));
    let page = bundle_with(&folder.path("render.js"), &Options { page: true, ..OPTIONS }).unwrap();
    assert_eq!(
        result_of(run(&page.code, "")),
        json!(["page", ["a for pages", "b for browsers"], "a for pages"])
    );
}

#[test]
fn packages_of_yarn_plug_n_play_are_found() {
    let state = json!({
        "enableTopLevelFallback": true, "ignorePatternData": null, "fallbackExclusionList": [], "fallbackPool": [],
        "dependencyTreeRoots": [{"name": "t", "reference": "workspace:."}],
        "packageRegistryData": [
            [null, [[null, {"packageLocation": "./", "packageDependencies": [["lib", "1"], ["t", "workspace:."]], "linkType": "SOFT"}]]],
            ["lib", [["1", {"packageLocation": "./cache/lib-1/", "packageDependencies": [["lib", "1"]], "linkType": "HARD"}]]],
            ["t", [["workspace:.", {"packageLocation": "./", "packageDependencies": [["lib", "1"]], "linkType": "SOFT"}]]],
        ],
    });
    let folder = Folder::with(&[
        ("render.js", "module.exports = x => require('lib')"),
        ("missing.js", "module.exports = x => require('left-pad')"),
        (".pnp.cjs", &format!("const RAW_RUNTIME_STATE =\n'{state}';\n")),
        ("cache/lib-1/index.js", "module.exports = 'found'"),
    ]);
    assert_eq!(folder.result(""), json!("found"));
    let error = folder.try_bundle("missing.js").unwrap_err();
    assert_eq!(
        error.remedies().collect::<Vec<_>>(),
        ["run: yarn install, after yarn add left-pad if package.json does not name it"]
    );
}

#[test]
fn paths_may_have_a_question_mark_and_a_number_sign() {
    let folder = Folder::with(&[
        (
            "why? #1/render.js",
            "with ({ y: require('./what?.js') }) { module.exports = x => [y, require('near'), require('./d.json')] }",
        ),
        ("why? #1/what?.js", "module.exports = require('./typed.ts').default"),
        ("why? #1/typed.ts", "export default 'typed' as string"),
        ("why? #1/d.json", "[1]"),
        ("node_modules/near/index.js", "module.exports = 'near'"),
    ]);
    assert_eq!(folder.answer("why? #1/render.js", "")["result"], json!(["typed", "near", [1]]));
}

#[test]
fn a_byte_order_mark_may_stand_before_a_hashbang() {
    let folder = Folder::with(&[
        ("render.js", "\u{feff}#!/usr/bin/env node\nmodule.exports = x => require('./b')(x) + 1"),
        ("b.js", "\u{feff}#!/usr/bin/env node\nmodule.exports = x => Number(x) * 2"),
    ]);
    assert_eq!(folder.result("3"), json!(7));
}

#[test]
fn a_byte_order_mark_is_no_part_of_json() {
    let folder = Folder::with(&[
        ("render.js", "module.exports = x => require('./a.json')"),
        ("a.json", "\u{feff}{\"b\": 1}"),
    ]);
    assert_eq!(folder.result(""), json!({"b": 1}));
    assert_eq!(folder.bundle().warnings, Vec::<String>::new());
}

#[test]
fn a_package_whose_form_for_browsers_is_hollow_is_taken_in_its_other_form() {
    let folder = Folder::with(&[
        ("render.mjs", "import { draw } from 'picture'\nexport default draw"),
        ("wrong.mjs", "import { paint } from 'picture'\nexport default paint"),
        (
            "node_modules/picture/package.json",
            r#"{"exports": {"browser": "./stub.mjs", "import": "./real.mjs"}}"#,
        ),
        ("node_modules/picture/stub.mjs", "export {}"),
        ("node_modules/picture/real.mjs", "export const draw = (x) => 'drawn ' + x"),
    ]);
    assert_eq!(folder.answer("render.mjs", "a")["result"], json!("drawn a"));
    let error = folder.try_bundle("wrong.mjs").unwrap_err().to_string();
    assert!(error.contains("\"paint\" is not exported by"), "{error}");
}
