//! The examples' npm packages.

use std::path::Path;

/// Installs the packages of an example's folder, if this has not been done.
pub(crate) fn install(folder: &str) {
    pando_testing::install(&Path::new(env!("CARGO_MANIFEST_DIR")).join(folder));
}
