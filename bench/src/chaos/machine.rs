//! Machines: real processes of `pando join`, alone and as gateways.

use super::{
    context::{Context, free_port},
    plan::{MachinePlan, MachineStep},
};
use crate::swarm::link::Address;
use pando_testing::make_neutral;
use rustix::process::{Pid, Signal, kill_process};
use std::{
    fs::{self, OpenOptions},
    future::pending,
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{ExitStatus, Stdio},
    sync::Arc,
    time::Duration,
};
use tokio::{
    process::{Child, Command},
    time::{sleep, sleep_until, timeout},
};

/// The token of gateways.
const TOKEN: &str = "gateway-token";
/// The number of this signal.
const SIGTERM: i32 = 15;
/// How long a machine that was told to leave may take for it.
const LEAVING: Duration = Duration::from_secs(30);
/// The time before a process that has ended by itself starts again.
const AGAIN: Duration = Duration::from_millis(100);

/// A machine of the plan.
pub(crate) struct Machine {
    context: Arc<Context>,
    plan: MachinePlan,
    /// The gateway's own port, if the machine is one.
    port: u16,
    /// The port of the gateway that the machine joins.
    above: Option<u16>,
    /// The file for what the process says.
    said: PathBuf,
}

/// All machines of the plan. What each says is in a file of `folder`.
pub(crate) fn machines(context: &Arc<Context>, folder: &Path) -> Vec<Machine> {
    let plans = &context.plan.machines;
    let ports: Vec<u16> =
        plans.iter().map(|plan| if plan.shares { free_port() } else { 0 }).collect();
    let machine = |(plan, port): (&MachinePlan, &u16)| Machine {
        context: context.clone(),
        plan: plan.clone(),
        port: *port,
        above: plan.behind.map(|at| ports[at]),
        said: folder.join(format!("{}.machine", plan.name)),
    };
    plans.iter().zip(&ports).map(machine).collect()
}

/// The panics of machines whose words are in `folder`.
pub(super) fn panics(folder: &Path) -> Vec<String> {
    let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
    let machines = files.filter(|path| path.extension().is_some_and(|it| it == "machine"));
    let texts = machines
        .map(|path| String::from_utf8_lossy(&fs::read(path).unwrap_or_default()).into_owned());
    let panics = |text: String| {
        let lines = text.lines().filter(|line| line.contains("panicked at"));
        lines.map(str::to_owned).collect::<Vec<_>>()
    };
    texts.flat_map(panics).collect()
}

impl Machine {
    /// Joins, and carries out the steps, until this future is dropped.
    pub(crate) async fn live(self) {
        sleep_until((self.context.start() + self.plan.joins).into()).await;
        let mut child = self.start();
        let mut steps = self.plan.steps.iter().copied().peekable();
        loop {
            let start = self.context.start();
            let due = steps.peek().map(|(at, _)| sleep_until((start + *at).into()));
            let due = async {
                match due {
                    Some(due) => due.await,
                    None => pending().await,
                }
            };
            let ended = tokio::select! {
                status = child.wait() => {
                    self.check("by itself", status.ok());
                    sleep(AGAIN).await;
                    true
                }
                () = due => match steps.next() {
                    Some((_, step)) => self.suffer(&mut child, step).await,
                    None => false,
                },
            };
            if ended {
                child = self.start();
            }
        }
    }

    fn start(&self) -> Child {
        let said = OpenOptions::new().create(true).append(true).open(&self.said);
        let said = said.map_or_else(|_| Stdio::null(), Stdio::from);
        let mut command = Command::new(&self.context.pando);
        make_neutral(command.as_std_mut());
        command.args(["join", "--trust", "--engine", "node", "--name", &self.plan.name]);
        match self.plan.shares {
            true => {
                let port = self.port.to_string();
                command.args(["--share", "--cores", "0", "--allow-sleep", "--bind", "127.0.0.1"]);
                command.args(["--port", &port, "--token", TOKEN]);
            }
            false => {
                command.args(["--cores", &self.plan.cores.to_string()]);
            }
        }
        match self.above {
            Some(port) => command.args(["--wait", &format!("http://127.0.0.1:{port}/{TOKEN}/")]),
            None => {
                let Address { host, token } = self.context.address(self.plan.afar);
                command.arg(format!("http://{host}/{token}/"))
            }
        };
        command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(said);
        command.kill_on_drop(true).process_group(0).spawn().expect("pando can be started")
    }

    /// Carries out `step`. Returns whether the process has ended.
    async fn suffer(&self, child: &mut Child, step: MachineStep) -> bool {
        self.context.tell(&format!("{}: {step:?}", self.plan.name));
        let Some(pid) = child.id().and_then(|id| Pid::from_raw(id as i32)) else { return true };
        let signal = |signal| {
            let _ = kill_process(pid, signal);
        };
        let away = match step {
            MachineStep::Freeze(time) => {
                signal(Signal::STOP);
                sleep(time).await;
                signal(Signal::CONT);
                return false;
            }
            MachineStep::Kill(away) => {
                let _ = child.kill().await;
                away
            }
            MachineStep::Leave(away) => {
                signal(Signal::TERM);
                let left = timeout(LEAVING, child.wait()).await;
                self.check("after SIGTERM", left.ok().and_then(Result::ok));
                let _ = child.kill().await;
                away
            }
            MachineStep::Preempt(grace, away) => {
                signal(Signal::TERM);
                let _ = timeout(grace, child.wait()).await;
                let _ = child.kill().await;
                away
            }
        };
        sleep(away).await;
        true
    }

    /// Checks how the process ended, if it did.
    fn check(&self, when: &str, status: Option<ExitStatus>) {
        let name = &self.plan.name;
        self.context.tell(&format!("{name} ends {when}: {status:?}"));
        match status.map(|status| (status.code(), status.signal())) {
            // A process that has just started does not hear signals yet.
            Some((Some(0..=2), _) | (_, Some(SIGTERM))) => {}
            _ => self.context.complain(format!("{name} ends {when} with {status:?}")),
        }
    }
}
