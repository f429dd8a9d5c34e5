//! Kubernetes: the job is valid, and its command works in what a pod is to the command. There is no
//! Kubernetes here.

use super::*;

/// Checks a manifest as Kubernetes does.
fn check(desk: &Desk, python: &str, manifest: &str) -> Finished {
    desk.write("job.yaml", manifest);
    desk.run(&[&python.replace("/python", "/kubernetes-validate"), "--strict", "job.yaml"])
}

#[test]
fn the_job_is_valid() {
    let Some(python) = python() else { return };
    let desk = Desk::new();
    check(&desk, &python, &recipe("kubernetes-job.yaml", &[])).status(0);
    for (right, wrong) in
        [("parallelism: 4", "parallelism: four"), ("completionMode:", "completionmode:")]
    {
        let done = check(&desk, &python, &recipe("kubernetes-job.yaml", &[(right, wrong)]));
        assert_ne!(done.status, Some(0), "{wrong}");
    }
}

/// The command of the job's container.
fn command(desk: &Desk, python: &str) -> Vec<String> {
    const PRINT: &str = "
import json, sys, yaml
container = yaml.safe_load(sys.stdin)['spec']['template']['spec']['containers'][0]
print(json.dumps(container['command'] + container['args']))";
    desk.write("job.yaml", recipe("kubernetes-job.yaml", &[]));
    let words = ["sh", "-c", "\"$0\" -c \"$1\" < job.yaml", python, PRINT];
    serde_json::from_str(&desk.run(&words).text()).expect("a list of words")
}

/// Starts what a pod is to its command: the first process, as nobody, without rights, among files
/// that cannot be written.
fn pod(desk: &Desk, command: &[String], variables: &[(&str, &str)]) -> RunningProgram {
    const POD: &str = "bwrap --die-with-parent --unshare-user --uid 65534 --gid 65534 --unshare-pid \
        --as-pid-1 --cap-drop ALL --ro-bind / / --dev /dev --proc /proc --clearenv";
    let path = &desk.variables[0];
    let mut words: Vec<&str> = POD.split(' ').filter(|word| !word.is_empty()).collect();
    for (name, value) in [(&*path.0, &*path.1)].iter().chain(variables) {
        words.extend(["--setenv", name, value]);
    }
    words.push("--");
    words.extend(command.iter().map(String::as_str));
    desk.start(&words)
}

#[test]
fn a_pod_that_is_ended_early_hands_its_values_back_and_says_so() {
    let Some(python) = python() else { return };
    if !are_installed("bubblewrap", &["bwrap"]) {
        return;
    }
    let desk = Desk::new();
    let command = command(&desk, &python);
    let mut run = GatedRun::start();
    let url = run.url();
    let start = |index: &str| {
        let variables = [
            ("URL", &*url),
            ("JOB_COMPLETION_INDEX", index),
            ("HOSTNAME", "pod"),
            ("PANDO_JOIN_CORES", "1"),
            ("PANDO_JOIN_TRUST", "true"),
        ];
        pod(&desk, &command, &variables)
    };
    let mut pods: Vec<_> = (0..VOLUNTEERS).map(|index| start(&index.to_string())).collect();
    run.all_compute();
    let evicted = pods.remove(1);
    kill("TERM", descendant(evicted.pid(), |line| line.starts_with("/bin/sh -c")).into());
    let left = run.hears(" left");
    assert!(left.contains("Kubernetes 1 (pod)"), "{left}");
    evicted.wait().status(143).said(&["everything else is handed back"]);
    pods.push(start("1"));
    run.hears("Kubernetes 1 (pod) joined");
    run.completes(1);
    for pod in pods {
        pod.wait().status(0).said(&["The job is done"]);
    }
}
