//! HyperQueue, by its Python package.

use super::*;

/// A server with a worker of 2 cores, in one process. Clients look for it below the home folder.
const CLUSTER: &str = "
import os, sys
from hyperqueue import LocalCluster
from hyperqueue.cluster import WorkerConfig
with LocalCluster() as cluster:
    cluster.start_worker(WorkerConfig(cores=2))
    os.symlink(cluster.cluster.server_dir, '.hq-server')
    print('ready', file=sys.stderr, flush=True)
    sys.stdin.read()
";

/// A running server, and a desk at which its users submit a recipe for 2 volunteers.
fn start(python: &str) -> (Desk, RunningProgram) {
    let mut desk = Desk::new();
    let home = desk.folder.path().to_str().expect("UTF-8").to_owned();
    desk.set("HOME", &*home);
    desk.set("TMPDIR", home);
    desk.write("cluster.py", CLUSTER);
    let changes = [("VOLUNTEERS = 4", "VOLUNTEERS = 2"), ("CORES = 4", "CORES = 1")];
    desk.write("hyperqueue_volunteers.py", recipe("hyperqueue_volunteers.py", &changes));
    // What the server leaves behind lives on for a while.
    let cluster = desk.start(&["sh", "-c", "\"$0\" cluster.py; sleep 60", python]);
    cluster.says("ready");
    (desk, cluster)
}

#[test]
fn a_volunteer_is_killed_and_a_server_is_closed() {
    let Some(python) = python() else { return };
    let (desk, cluster) = start(&python);
    let (other_desk, other_cluster) = start(&python);
    let mut run = GatedRun::start();
    let words = [&*python, "hyperqueue_volunteers.py", &run.url()];
    let recipe = desk.start(&words);
    let _other_recipe = other_desk.start(&words);
    run.all_compute();
    // The tasks of a worker that is killed get SIGTERM.
    let server = descendant(other_cluster.pid(), |line| line.ends_with("python cluster.py "));
    kill("KILL", server.into());
    run.hears(" left");
    run.hears(" left");
    let volunteer = descendant(cluster.pid(), |line| {
        line.starts_with("pando join") && line.contains("HyperQueue 1")
    });
    kill("KILL", volunteer.into());
    run.hears(" is gone");
    run.completes(3);
    recipe.wait().status(1).said(&["Stderr: ", "pando-1.err"]);
    assert!(desk.read("pando-2.err").contains("The job is done"));
}

#[test]
fn what_is_wrong_is_told_with_the_file_that_has_the_words() {
    let Some(python) = python() else { return };
    let (desk, _cluster) = start(&python);
    let nowhere = format!("http://127.0.0.1:{}/k7d2m9qx4t/", free_port());
    let done = desk.run(&[&python, "hyperqueue_volunteers.py", &nowhere]);
    done.status(1).said(&["pando-1.err"]);
    assert!(desk.read("pando-1.err").contains("nothing answers at"));
}
