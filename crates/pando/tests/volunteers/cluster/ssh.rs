//! GNU parallel over ssh. All machines are this one.

use super::*;

/// A server for ssh, and a desk whose `ssh` reaches it under each of the machines' names.
fn start(variables: &str) -> Option<(Desk, RunningProgram)> {
    let programs = ["sshd", "ssh", "ssh-keygen", "parallel"];
    if !are_installed("ssh and GNU parallel", &programs) || !is_root("an own server for ssh") {
        return None;
    }
    let mut desk = Desk::new();
    let folder = desk.folder.path().to_str().expect("UTF-8").to_owned();
    let port = free_port();
    for key in ["host", "user"] {
        desk.run(&["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key]).success();
    }
    desk.write(
        "sshd_config",
        format!(
            "Port {port}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\n\
             AuthorizedKeysFile {folder}/user.pub\nPermitRootLogin prohibit-password\n\
             PasswordAuthentication no\nStrictModes no\nUsePAM no\nSetEnv {variables}\n"
        ),
    );
    desk.write(
        "config",
        format!(
            "Host *\n HostName 127.0.0.1\n Port {port}\n User root\n IdentityFile {folder}/user\n \
             IdentitiesOnly yes\n UserKnownHostsFile {folder}/known\n \
             StrictHostKeyChecking accept-new\n LogLevel ERROR\n"
        ),
    );
    desk.write("bin/ssh", format!("#!/bin/sh\nexec /usr/bin/ssh -F {folder}/config \"$@\"\n"));
    desk.run(&["chmod", "755", "bin/ssh"]).success();
    let path = desk.variables.iter().find(|(name, _)| name == "PATH").expect("a PATH").1.clone();
    desk.set("PATH", format!("{folder}/bin:{path}"));
    desk.set("HOME", folder);
    // The folder of the server exists for the server only.
    let script = "mount -t tmpfs none /run && mkdir /run/sshd && exec $(command -v sshd) -D -e -f $PWD/sshd_config";
    let server = desk.start(&["sh", "-c", script]);
    server.says("Server listening");
    let machines = [("'node1 node2 node3'", "'node1 node2 node3 node4'")];
    desk.write("parallel.sh", recipe("parallel.sh", &machines));
    Some((desk, server))
}

/// The variables at the machines.
fn variables() -> String {
    let desk = Desk::new();
    desk.variables.iter().map(|(name, value)| format!("{name}={value} ")).collect::<String>()
        + "PANDO_JOIN_CORES=1"
}

#[test]
fn connections_are_lost_and_the_recipe_is_ended() {
    let Some((desk, server)) = start(&variables()) else { return };
    let mut run = GatedRun::start();
    let words = ["sh", "parallel.sh", &run.url()];
    let recipe = desk.start(&words);
    run.all_compute();
    let connection =
        |line: &str| line.starts_with("/usr/bin/ssh") && line.contains(" node1 pando join");
    kill("KILL", descendant(recipe.pid(), connection).into());
    run.hears(" left");
    // The process that has left may not have ended yet.
    let killed = until("one process has ended", || {
        let volunteers = descendants(server.pid(), |line| line.starts_with("pando join"));
        (volunteers.len() < VOLUNTEERS as usize).then(|| volunteers[0])
    });
    kill("KILL", killed.into());
    run.hears(" is gone");
    // As when its terminal is closed.
    kill("HUP", descendant(recipe.pid(), |line| line.starts_with("sh parallel.sh")).into());
    run.hears(" left");
    run.hears(" left");
    let recipe = desk.start(&words);
    for _ in 0..VOLUNTEERS {
        run.hears(" joined");
    }
    run.completes(VOLUNTEERS);
    recipe.wait().status(0);
}

#[test]
fn what_is_wrong_is_told_with_the_machine() {
    let Some((desk, _server)) = start("PATH=/usr/bin:/bin") else { return };
    let done = desk.run(&["sh", "parallel.sh", "http://127.0.0.1:9/k7d2m9qx4t/"]);
    assert_ne!(done.status, Some(0));
    let told = format!("{}{}", done.text(), done.stderr);
    assert!(told.contains("node3\t") && told.contains("pando: command not found"), "{told}");
}
