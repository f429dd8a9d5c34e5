//! Every test that the page of promises names exists.

use std::{fs, path::Path};

#[test]
fn every_test_that_the_promises_name_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let page = fs::read_to_string(root.join("docs/reliability.md")).unwrap();
    let named: Vec<&str> =
        page.split('`').skip(1).step_by(2).filter(|code| code.contains("::")).collect();
    assert!(named.len() > 30, "{named:?}");
    let folders = [
        "crates/pando/tests",
        "crates/stream-lender/tests",
        "bench/tests",
        "crates/pando/src",
        "crates/pando-web/src",
    ];
    for name in named {
        let (place, test) = name.rsplit_once("::").unwrap();
        let place = place.replace("::", "/");
        let sources = folders.iter().map(|folder| root.join(folder).join(format!("{place}.rs")));
        let source = sources.filter_map(|path| fs::read_to_string(path).ok()).collect::<String>();
        assert!(source.contains(&format!("fn {test}(")), "{name} is nowhere");
    }
}
