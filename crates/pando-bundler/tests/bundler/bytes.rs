//! Imports of files that are neither code nor text.

use std::fs;

use serde_json::json;

use crate::support::Folder;

fn folder(source: &str, files: &[(&str, &[u8])]) -> Folder {
    let folder = Folder::with(&[("render.js", source)]);
    for (name, bytes) in files {
        let path = folder.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
    folder
}

#[test]
fn an_imported_file_of_bytes_is_an_array_of_them() {
    let bytes: Vec<u8> = (0..=255).collect();
    let files: [(&str, &[u8]); 3] =
        [("model.bin", &bytes), ("words.dat", b"abc"), ("a.png", b"\x89PNG")];
    let source = "import model from './model.bin'
        import words from './words.dat'
        import png from './a.png'
        export default () => [model instanceof Uint8Array, model.length, model[255], String.fromCharCode(...words), png[0]]";
    let expected = json!([true, 256, 255, "abc", 0x89]);
    assert_eq!(folder(source, &files).result(""), expected);
    let source = "const model = require('./model.bin'), words = require('./words.dat'), png = require('./a.png')
        module.exports = () => [model instanceof Uint8Array, model.length, model[255], String.fromCharCode(...words), png[0]]";
    assert_eq!(folder(source, &files).result(""), expected);
}

#[test]
fn code_in_packages_may_have_any_extension() {
    let source = "module.exports = () => require('odd') + require('odd/data.foo').length";
    let files: [(&str, &[u8]); 3] = [
        ("node_modules/odd/package.json", br#"{"main": "main.umd"}"#),
        ("node_modules/odd/main.umd", b"module.exports = 'code'"),
        ("node_modules/odd/data.foo", b"\xff\xfe"),
    ];
    assert_eq!(folder(source, &files).result(""), json!("code2"));
}

#[test]
fn a_large_file_is_refused_with_the_other_way() {
    let large = vec![0; (4 << 20) + 1];
    let folder = folder("export { default } from './m.onnx'", &[("m.onnx", &large)]);
    let why = folder.try_bundle("render.js").unwrap_err().to_string();
    assert!(why.contains("m.onnx: this file has 4.0 MB, and at most 4 MB are bundled"), "{why}");
    assert!(why.contains("--assets DIR") && why.contains("context.asset('m.onnx')"), "{why}");
}
