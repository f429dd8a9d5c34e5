//! Dask: a scheduler, and two nodes with two workers each.

use super::*;

/// Starts a node of the cluster.
fn node(desk: &Desk, dask: &str, scheduler: &str, name: &str) -> RunningProgram {
    let workers = ["--nworkers", "2", "--nthreads", "1", "--name", name, "--no-dashboard"];
    desk.start(&[&[dask, "worker", scheduler], &workers[..]].concat())
}

/// Starts the scheduler; returns it and its address.
fn scheduler(desk: &Desk, dask: &str) -> (RunningProgram, String) {
    let options = ["--host", "127.0.0.1", "--port", "0", "--no-dashboard"];
    let scheduler = desk.start(&[&[dask, "scheduler"], &options[..]].concat());
    let said = scheduler.says("Scheduler at:");
    let address = said.rsplit(' ').next().expect("an address").to_owned();
    (scheduler, address)
}

#[test]
fn a_worker_is_killed_and_a_node_is_closed() {
    let Some(python) = python() else { return };
    let dask = python.replace("/python", "/dask");
    let desk = Desk::new();
    desk.write("dask_volunteers.py", recipe("dask_volunteers.py", &[]));
    let (_scheduler, address) = scheduler(&desk, &dask);
    let (node, other) = (node(&desk, &dask, &address, "one"), node(&desk, &dask, &address, "two"));
    let mut run = GatedRun::start();
    let recipe = desk.start(&[&python, "dask_volunteers.py", &address, &run.url()]);
    run.all_compute();
    // Its nanny starts another worker.
    kill("KILL", descendant(node.pid(), |line| line.contains("spawn_main")).into());
    run.hears(" left");
    run.hears(" joined");
    let process = descendant(other.pid(), |line| line.contains(" worker tcp://"));
    kill("TERM", process.into());
    run.hears(" left");
    run.hears(" left");
    run.completes(3);
    recipe.wait().status(0);
    node.says("The job is done");
}

#[test]
fn what_is_wrong_is_in_the_log_of_the_worker() {
    let Some(python) = python() else { return };
    let dask = python.replace("/python", "/dask");
    let mut desk = Desk::new();
    desk.write("dask_volunteers.py", recipe("dask_volunteers.py", &[]));
    let (_scheduler, address) = scheduler(&desk, &dask);
    let node = node(&desk, &dask, &address, "one");
    let nowhere = format!("http://127.0.0.1:{}/k7d2m9qx4t/", free_port());
    let done = desk.run(&[&python, "dask_volunteers.py", &address, &nowhere]);
    done.status(1).said(&["ended with status 2: see this worker's log"]);
    node.says("nothing answers at");
    desk.set("PATH", "/usr/bin:/bin");
    let bare = self::node(&desk, &dask, &address, "two");
    bare.says("Registered to:");
    desk.run(&[&python, "dask_volunteers.py", &address, &nowhere]).status(1).said(&["status 127"]);
    bare.says("pando: not found");
}
