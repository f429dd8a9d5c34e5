//! Imports of files that are neither code nor text: the module's value is a `Uint8Array`.

use std::{fs, path::Path};

use base64::{Engine, engine::general_purpose::STANDARD};

use crate::{error::Problem, finder, source};

/// Most bytes of a file in the bundle. Each core loads the bundle as a whole.
const LONGEST: u64 = 4 << 20;

/// Extensions of code, of data with a form of their own, and of files that are refused.
const OTHERS: &[&str] = &[
    "js", "cjs", "mjs", "jsx", "ts", "cts", "mts", "tsx", "es", "es6", "jsm", "json", "txt",
    "node", "wasm", "css", "less", "sass", "scss", "htm", "html",
];

/// Extensions of bytes, also in packages, whose code may have any extension.
const BYTES: &[&str] = &[
    "avif", "bin", "bmp", "dat", "flac", "gif", "gz", "ico", "jpeg", "jpg", "mp3", "mp4", "npy",
    "npz", "ogg", "onnx", "otf", "pb", "png", "svg", "tflite", "ttf", "wav", "webm", "webp",
    "woff", "woff2", "zip",
];

/// Whether a specifier may name such a file.
pub(crate) fn may_name_bytes(specifier: &str) -> bool {
    extension(Path::new(specifier)).is_some_and(|extension| !OTHERS.contains(&extension))
}

/// Whether the module of this id is a file of bytes.
pub(crate) fn is_bytes(id: &str) -> bool {
    let file = source::file_of(id);
    let Some(extension) = extension(&file).filter(|_| !source::is_virtual(id)) else {
        return false;
    };
    let unknown = !OTHERS.contains(&extension);
    let is_of_user = !source::is_foreign(id);
    unknown && (is_of_user || BYTES.contains(&extension) || finder::read(&file).is_err())
}

/// The ES module whose default export are the bytes of `file`.
pub(crate) fn module_of(file: &Path) -> anyhow::Result<Result<String, Problem>> {
    let length = fs::metadata(file).map(|about| about.len()).unwrap_or_default();
    if length > LONGEST {
        return Ok(Err(too_long(file, length)));
    }
    let text = STANDARD.encode(finder::read_bytes(file)?);
    Ok(Ok(format!(
        "var text = atob(\"{text}\"), bytes = new Uint8Array(text.length);\n\
         for (var i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);\n\
         export default bytes;\n"
    )))
}

fn too_long(file: &Path, length: u64) -> Problem {
    let name = file.file_name().unwrap_or_default().to_string_lossy();
    Problem::in_file(
        file,
        format!(
            "this file has {:.1} MB, and at most {} MB are bundled into the function",
            length as f64 / (1 << 20) as f64,
            LONGEST >> 20
        ),
    )
    .remedy(format!(
        "leave the import out, give its folder to the run by --assets DIR, and read it in the function by: await context.asset('{name}')"
    ))
}

fn extension(path: &Path) -> Option<&str> {
    path.extension()?.to_str()
}
