//! What the messages about modules that are not found suggest.

use std::fs;

use crate::{
    errors::{assert_starts, refused, refused_as},
    support::Folder,
};

#[test]
fn a_name_that_is_almost_right() {
    for (specifier, name) in [
        ("./lib", "./lib.mjs"),
        ("./LIB.mjs", "./lib.mjs"),
        ("./sub/Deep", "./sub/deep.js"),
        ("../x/lib", "../x/lib.mjs"),
    ] {
        let folder = Folder::with(&[
            ("x/render.mjs", &format!("import a from '{specifier}'\nexport default () => a")),
            ("x/lib.mjs", ""),
            ("x/sub/deep.js", ""),
        ]);
        let text = refused_as(&folder, "x/render.mjs");
        assert_starts(&text, &format!("x/render.mjs:1:15: there is no file '{specifier}'\n"));
        assert!(text.ends_with(&format!("\n  did you mean '{name}'?")), "{text}");
    }
    assert!(!refused("module.exports = require('./other')").contains("did you mean"));
}

#[test]
fn what_other_bundlers_add_to_a_name() {
    let folder = Folder::with(&[
        ("render.mjs", "import a from './a.txt?raw'\nexport default () => a"),
        ("a.txt", "text"),
    ]);
    let text = refused_as(&folder, "render.mjs");
    assert_starts(&text, "render.mjs:1:15: './a.txt?raw': Pando knows no '?raw'");
    assert!(text.contains("\n  import './a.txt': a .txt file gives its text"), "{text}");
}

#[test]
fn a_name_of_a_package_s_own_that_stands_for_nothing() {
    let text = refused("import a from '#inner'\nexport default () => a");
    assert_starts(&text, "render.js:1:15: '#inner' cannot be found");
    assert!(text.contains("\"imports\" in the package.json"), "{text}");
}

#[test]
fn a_package_that_is_not_built() {
    for (package, main) in [
        (r#"{"main": "dist/index.js"}"#, "dist/index.js"),
        (
            r#"{"exports": {".": {"types": "./index.d.ts", "default": "./dist/index.js"}}}"#,
            "./dist/index.js",
        ),
        (r#"{"exports": "./dist/index.js"}"#, "./dist/index.js"),
    ] {
        let folder = Folder::with(&[
            ("render.js", "module.exports = require('lib')"),
            ("node_modules/lib/package.json", package),
            ("node_modules/lib/index.d.ts", ""),
        ]);
        let text = refused_as(&folder, "render.js");
        let start = "render.js:1:26: the package 'lib' is installed in node_modules/lib, but its package.json names";
        assert_starts(&text, &format!("{start} '{main}', which does not exist\n"));
        assert!(text.contains("\n  build the package first"), "{text}");
    }
}

/// Such a pipe has no end.
#[cfg(unix)]
#[test]
fn a_pipe_is_no_module_and_no_configuration() {
    let folder = Folder::with(&[("render.js", "module.exports = x => x * 2"), ("sub/a.js", "")]);
    for name in ["package.json", "tsconfig.json", "sub/pipe.js"] {
        let made = std::process::Command::new("mkfifo").arg(folder.path(name)).status();
        assert!(made.unwrap().success());
    }
    let text = refused_as(&folder, "render.js");
    assert_eq!(text, "package.json: this is a pipe or a device, not a file");
    fs::remove_file(folder.path("package.json")).unwrap();
    assert_eq!(folder.result("3"), serde_json::json!(6));
    fs::write(folder.path("sub/a.js"), "module.exports = require('./pipe.js')").unwrap();
    assert_starts(&refused_as(&folder, "sub/a.js"), "sub/a.js:1:26: there is no file './pipe.js'");
}
