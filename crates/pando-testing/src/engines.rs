//! The engines of JavaScript that `scripts/test` installs, and other programs of this machine.

use std::{
    env,
    ffi::OsString,
    path::{Path, PathBuf},
};

/// PATH, with the engines at its end.
pub fn path_with_engines() -> OsString {
    let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target");
    let target = env::var_os("CARGO_TARGET_DIR").map_or(target, PathBuf::from);
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = env::split_paths(&path).chain([target.join("engines/node_modules/.bin")]);
    env::join_paths(folders).expect("no folder has a colon in its name")
}

/// The file of a program on this path.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = path_with_engines();
    env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file())
}
