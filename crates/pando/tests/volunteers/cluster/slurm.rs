//! Slurm, and Dask on Slurm.

use super::*;
use std::time::{Duration, Instant};

/// A Slurm of one machine with 4 CPUs. Its daemons have a folder, ports and processes of their own.
struct Slurm {
    desk: Desk,
    _daemons: RunningProgram,
}

/// The configuration; the first lines are those of a folder.
const CONFIGURATION: &str = "ClusterName=test
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
CredType=cred/munge
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SwitchType=switch/none
ReturnToService=2
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
SlurmdParameters=config_overrides
KillWait=5
";

const DAEMONS: &str = "
munged --foreground --force --key-file=munge/key --socket=$PWD/munge/socket --pid-file=munge/pid \
  --log-file=munge/log --seed-file=munge/seed &
until test -S munge/socket; do sleep 0.02; done
slurmctld -D -f $SLURM_CONF & slurmd -D -f $SLURM_CONF &
wait";

impl Slurm {
    /// Starts Slurm; `None` where it cannot be had.
    fn start() -> Option<Self> {
        let programs = ["munged", "slurmctld", "slurmd", "sbatch"];
        if !are_installed("Slurm", &programs) || !is_root("Slurm") {
            return None;
        }
        let mut desk = Desk::new();
        for folder in ["munge", "state", "spool"] {
            fs::create_dir(desk.path(folder)).expect("a folder can be made");
        }
        desk.write("munge/key", [7; 128]);
        desk.run(&["sh", "-c", "chmod 755 . && chmod 711 munge && chmod 400 munge/key"]).success();
        let host = desk.run(&["hostname", "-s"]).text();
        let (host, at) = (host.trim(), desk.folder.path().display());
        let configuration = format!(
            "SlurmctldHost={host}(127.0.0.1)\nSlurmctldPort={}\nSlurmdPort={}\n\
             AuthInfo=socket={at}/munge/socket\nSlurmctldPidFile={at}/ctld.pid\nSlurmdPidFile={at}/d.pid\n\
             StateSaveLocation={at}/state\nSlurmdSpoolDir={at}/spool\n\
             NodeName={host} NodeAddr=127.0.0.1 CPUs=4 RealMemory=8000\n\
             PartitionName=low Nodes={host} Default=YES PriorityTier=1\n\
             PartitionName=high Nodes={host} PriorityTier=10 PreemptMode=OFF\n",
            free_port(),
            free_port(),
        );
        let path = desk.write("slurm.conf", CONFIGURATION.to_owned() + &configuration);
        desk.set("SLURM_CONF", path.to_str().expect("UTF-8"));
        let daemons = desk.start(&["sh", "-c", DAEMONS]);
        let slurm = Self { desk, _daemons: daemons };
        until("Slurm has started", || {
            slurm.desk.run(&["sinfo", "-h", "-o", "%T"]).text().starts_with("idle").then_some(())
        });
        Some(slurm)
    }

    /// Runs a command that must succeed, and returns its output.
    #[track_caller]
    fn ask(&self, words: &[&str]) -> String {
        self.desk.run(words).status(0).text().trim().to_owned()
    }

    /// Submits the recipe, whose jobs have one CPU each; returns the number of the job.
    fn submit(&self, options: &[&str], url: &[&str]) -> String {
        self.desk
            .write("slurm.sh", recipe("slurm.sh", &[("--cpus-per-task=4", "--cpus-per-task=1")]));
        self.ask(&[&["sbatch", "--parsable"], options, &["slurm.sh"], url].concat())
    }

    /// Waits until no job is left.
    fn is_empty(&self) {
        until("no job is left", || self.ask(&["squeue", "-h"]).is_empty().then_some(()));
    }
}

/// The name of a volunteer in a message of the run: `Slurm 1_2`.
fn name(said: &str) -> String {
    said.split(" (").next().expect("a name").to_owned()
}

#[test]
fn jobs_are_preempted_cancelled_and_at_their_time_limit() {
    let Some(slurm) = Slurm::start() else { return };
    let mut run = GatedRun::start();
    let job = slurm.submit(&[], &[&run.url()]);
    run.all_compute();
    // Another job needs a CPU: one volunteer gives way, and comes back when Slurm lets it.
    slurm.ask(&["sbatch", "--partition=high", "--output=/dev/null", "--wrap=true"]);
    let preempted = name(&run.hears(" left"));
    let number = preempted.trim_start_matches("Slurm ");
    until("the other job has run", || {
        slurm.ask(&["squeue", "-h", "--partition=high"]).is_empty().then_some(())
    });
    // Slurm lets a job wait for two minutes before it begins again. The two minutes begin anew when
    // the last process of the job has ended.
    let (mut states, mut told) = (Vec::new(), None::<Instant>);
    until("the preempted job begins again", || {
        let state = slurm.ask(&["squeue", "-h", "-o", "%T %r %S", "-j", number]);
        if states.last() != Some(&state) {
            eprintln!("the preempted job: {state}");
            states.push(state.clone());
        }
        assert!(!state.is_empty(), "{}", slurm.desk.read(&format!("pando-{number}.out")));
        // The scheduler passes over a job whose time has just been set.
        let is_due = told.is_none_or(|told| told.elapsed() > Duration::from_secs(5));
        if state.starts_with("PENDING") && is_due {
            told = Some(Instant::now());
            // Meanwhile the job may have begun.
            let job = format!("JobId={number}");
            slurm.desk.run(&["scontrol", "update", &job, "StartTime=now"]);
        }
        (told.is_some() && state.starts_with("RUNNING")).then_some(())
    });
    run.hears(&format!("{preempted} "));
    let others = (1..=VOLUNTEERS).map(|task| format!("{job}_{task}"));
    let others: Vec<String> = others.filter(|other| other != number).collect();
    slurm.ask(&["scancel", &others[0]]);
    run.hears(&format!("Slurm {} (", others[0]));
    slurm.ask(&["scontrol", "update", &format!("JobId={}", others[1]), "TimeLimit=1"]);
    let left = run.hears(" left");
    assert_eq!(name(&left), format!("Slurm {}", others[1]), "{left}");
    run.completes(3);
    slurm.is_empty();
    let said = |task: &str| slurm.desk.read(&format!("pando-{task}.out"));
    let twice = said(number);
    assert_eq!(twice.matches("joined http").count(), 2, "{twice}");
    for task in [number, &others[0], &others[1]] {
        assert!(said(task).contains("everything else is handed back"), "{}", said(task));
    }
    for task in [number, &others[2]] {
        assert!(said(task).contains("The job is done"), "{}", said(task));
    }
}

#[test]
fn what_is_wrong_is_in_the_output_of_the_job() {
    let Some(slurm) = Slurm::start() else { return };
    let nowhere = format!("http://127.0.0.1:{}/k7d2m9qx4t/", free_port());
    let cases: [(&[&str], &[&str], &[&str]); 3] = [
        (&["--export=PATH=/usr/bin:/bin"], &[&nowhere], &["pando: not found"]),
        (&[], &[&nowhere], &["nothing answers at http://127.0.0.1:", "this machine itself"]),
        (&[], &[], &["give the address of the run"]),
    ];
    for (options, url, words) in cases {
        let job = slurm.submit(&[&["--array=1"], options].concat(), url);
        let state = until("the job has failed", || {
            let state = slurm.ask(&["scontrol", "show", "job", &format!("{job}_1")]);
            state.contains("JobState=FAILED").then_some(state)
        });
        let said = slurm.desk.read(&format!("pando-{job}_1.out"));
        for word in words {
            assert!(said.contains(word), "{said}\n{state}");
        }
    }
}

#[test]
fn dask_makes_its_workers_of_jobs_of_slurm() {
    let Some(python) = python() else { return };
    let Some(mut slurm) = Slurm::start() else { return };
    let changes = [("cores=4", "cores=1"), ("4GB", "1GB")];
    slurm.desk.write("dask_slurm.py", recipe("dask_slurm.py", &changes));
    slurm.desk.write("dask_volunteers.py", recipe("dask_volunteers.py", &[]));
    // Everything is on this machine, without another network.
    slurm.desk.set("DASK_JOBQUEUE__SLURM__INTERFACE", "lo");
    let mut run = GatedRun::start();
    let recipe = slurm.desk.start(&[&python, "dask_slurm.py", &run.url()]);
    run.all_compute();
    let jobs = slurm.ask(&["squeue", "-h", "-o", "%i"]);
    // Dask replaces a job that is cancelled.
    slurm.ask(&["scancel", jobs.lines().next().expect("a job")]);
    run.hears(" left");
    run.hears(" joined");
    run.completes(1);
    recipe.wait().status(0);
    slurm.is_empty();
}
