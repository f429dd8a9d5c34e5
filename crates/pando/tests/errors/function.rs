//! Functions that cannot be loaded are refused with status 2 before the port opens.

use pando_testing::{Finished, PandoCommand};

#[track_caller]
fn refused(pando: PandoCommand, words: &[&str]) -> Finished {
    let run = pando.stdin("1\n").run();
    run.ends(2, "").said(&["error: "]).said(words).did_not_say(&["Serving", "panicked"]);
    run
}

#[test]
fn a_file_that_is_missing() {
    refused(PandoCommand::path("missing.js"), &["missing.js", "no such file"]);
}

#[test]
fn a_file_whose_ending_was_forgotten() {
    refused(
        PandoCommand::bare().with_file("square.js", "").function("square"),
        &["no such file", "square.js"],
    );
}

#[test]
fn a_folder() {
    refused(PandoCommand::bare().with_file("lib/f.js", "").function("lib"), &["lib", "folder"]);
}

#[test]
fn an_empty_file() {
    refused(PandoCommand::new(""), &["f.js", "empty", "module.exports['/pando/1.0.0']"]);
}

#[test]
fn a_file_that_is_no_script() {
    refused(PandoCommand::bare().with_file("f.png", "").function("f.png"), &["f.png"]);
}

#[test]
fn a_syntax_error_with_file_line_and_code_frame() {
    let f = "const a = 1\nmodule.exports['/pando/1.0.0'] = (x, cb) => {\n  cb(null, x\n}\n";
    refused(PandoCommand::new(f), &["f.js:", "syntax error", "> ", "  cb(null, x"]);
}

#[test]
fn a_syntax_error_in_an_imported_file() {
    let pando = PandoCommand::new("import g from './g.js'\nexport default x => g(x)")
        .with_file("g.js", "export default x => x +\n");
    refused(pando, &["g.js:", "syntax error"]);
}

#[test]
fn a_module_without_a_function() {
    refused(
        PandoCommand::new("const f = x => x\n"),
        &["f.js", "no usable function", "export default"],
    );
    refused(
        PandoCommand::new("export const f = x => x\n"),
        &["f.js", "no usable function", "export default"],
    );
    refused(PandoCommand::new("export default 42\n"), &["f.js:1", "not a function"]);
}

#[test]
fn a_module_whose_exports_turn_out_to_have_no_function() {
    refused(PandoCommand::new("module.exports = { other: x => x }\n"), &["f.js", "no function"]);
}

#[test]
fn a_module_that_throws_while_it_is_loaded() {
    refused(
        PandoCommand::new("\nthrow new Error('not today')\nmodule.exports = x => x\n"),
        &["f.js", "not today", "f.js:2:7"],
    );
}

#[test]
fn a_module_that_never_finishes_loading() {
    refused(PandoCommand::new("for (;;);\nmodule.exports = x => x\n"), &["f.js", "endless loop"]);
}

#[test]
fn a_package_that_is_not_installed() {
    let f = "const pad = require('left-pad-that-is-missing')\nmodule.exports = x => pad(x)\n";
    refused(PandoCommand::new(f), &["f.js:1", "npm install left-pad-that-is-missing"]);
    let f = "import pad from '@scope/missing/deep.js'\nexport default x => pad(x)\n";
    refused(PandoCommand::new(f), &["f.js:1", "npm install @scope/missing\n"]);
}

#[test]
fn a_file_that_is_not_there() {
    refused(
        PandoCommand::new("import g from './gone.js'\nexport default g\n"),
        &["f.js:1", "./gone.js"],
    );
}

#[test]
fn top_level_await() {
    refused(
        PandoCommand::new("const a = await 1\nexport default x => a\n"),
        &["f.js:1", "top-level", "await"],
    );
}

#[test]
fn no_function_named_at_all() {
    let run = PandoCommand::bare().run();
    run.ends(2, "").said(&["FUNCTION"]);
}

#[test]
fn a_function_is_refused_also_with_an_empty_input() {
    PandoCommand::new("syntax error").run().ends(2, "").said(&["syntax error"]);
}

#[test]
fn a_function_is_refused_also_when_no_core_of_this_machine_is_lent() {
    let run = PandoCommand::new("throw new Error('not today')\nmodule.exports = x => x")
        .args(["--cores", "0"])
        .stdin("1\n")
        .run();
    run.ends(2, "").said(&["not today"]).did_not_say(&["Serving"]);
}
