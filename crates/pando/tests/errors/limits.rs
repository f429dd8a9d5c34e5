//! Runs that need more than the machine or its system allows.

use pando_testing::{PandoCommand, built};
use std::{fs, os::unix::fs::PermissionsExt, process::Command};

#[test]
fn more_cores_than_make_sense_are_not_lent_and_that_is_said() {
    let mut run = PandoCommand::f("(x, cb) => cb(null, x)")
        .local()
        .args(["--cores", "999"])
        .stdin_open()
        .start();
    run.write_line("1");
    assert_eq!(run.line().as_deref(), Some("1"));
    run.says("--cores 999: ");
    let most = usize::max(32, 4 * std::thread::available_parallelism().unwrap().get());
    assert!(run.children().len() <= most, "{}", run.children().len());
    run.wait().gives("1\n").said(&[&format!("{most} cores are lent")]);
    PandoCommand::f("(x, cb) => cb(null, x)")
        .local()
        .args(["--cores", "3"])
        .stdin("1\n")
        .run()
        .gives("1\n")
        .did_not_say(&["cores are lent"]);
}

/// Runs as the user nobody, because the system does not limit the processes and threads of root.
#[test]
fn where_too_few_threads_may_be_started_that_is_said() {
    let nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"];
    if Command::new(nobody[0])
        .args(&nobody[1..])
        .arg("true")
        .status()
        .is_ok_and(|status| status.success())
    {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), PermissionsExt::from_mode(0o755)).unwrap();
        let pando = folder.path().join("pando");
        fs::copy(built("pando"), &pando).unwrap();
        fs::write(
            folder.path().join("f.js"),
            "module.exports['/pando/1.0.0'] = (x, cb) => cb(null, x)",
        )
        .unwrap();
        for (limit, args) in [
            (5, "--local f.js 1"),
            (5, "--local --exec cat 1"),
            (5, "relay --port 0"),
            (10, "--local f.js 1"),
        ] {
            let script = format!(
                "cd {} && ulimit -u {limit} && exec ./pando {args}",
                folder.path().display()
            );
            let output = Command::new(nobody[0])
                .args(&nobody[1..])
                .args(["bash", "-c", &script])
                .env("LC_ALL", "C")
                .output()
                .unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(
                said.starts_with("error: this system lets Pando start too few threads"),
                "{args}: {said}"
            );
            assert_eq!(
                (output.status.code(), said.contains("panicked")),
                (Some(1), false),
                "{args}: {said}"
            );
        }
    } else {
        eprintln!("only root can become nobody: not tried");
    }
}
