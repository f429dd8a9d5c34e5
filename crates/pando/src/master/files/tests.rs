//! Targets, and new files in their places.

use super::*;

#[test]
fn targets_lie_below_the_folder() {
    let files = Files {
        output_dir: Some("out".into()),
        ext: Some(".png".into()),
        separator: b'\n',
        ..Files::default()
    };
    let target = |name: &str| files.target(name).map(Option::unwrap);
    assert_eq!(target("a/b.jpg").unwrap(), Path::new("out/a/b.png"));
    assert_eq!(target("./c").unwrap(), Path::new("out/c.png"));
    assert!(target("../d").unwrap_err().contains("`..`"));
    assert!(target("/etc/passwd").unwrap_err().contains("absolute"));
    assert!(target(".").is_err());
    assert!(target("e\nf").unwrap_err().contains("-0"));
}

#[test]
fn where_something_is_nothing_is_put_in_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let (fresh, target) = (folder.path().join("fresh"), folder.path().join("target"));
    fs::write(&fresh, "fresh").unwrap();
    put_new(&fresh, &target).unwrap();
    assert_eq!(fs::read(&target).unwrap(), b"fresh");
    assert!(put_new(&fresh, &target).unwrap_err().to_string().contains("--overwrite"));
    #[cfg(unix)]
    {
        let link = folder.path().join("link");
        std::os::unix::fs::symlink("nowhere", &link).unwrap();
        assert_eq!(put_new(&fresh, &link).unwrap_err().kind(), ErrorKind::AlreadyExists);
    }
}

/// The dot stands for two names that are one on a file system that ignores case.
#[test]
fn a_result_does_not_replace_another_one_of_this_run() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().to_owned();
    let files =
        Arc::new(Files { output_dir: Some(dir.clone()), overwrite: true, ..Files::default() });
    fs::write(dir.join("a"), "old").unwrap();
    files.prepare(&dir.join("a"), b"first").unwrap()().unwrap();
    let again = files.prepare(&dir.join(".").join("a"), b"second").unwrap()();
    assert!(again.unwrap_err().to_string().contains("the result of another item"));
    assert_eq!(fs::read(dir.join("a")).unwrap(), b"first");
}
