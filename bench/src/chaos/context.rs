//! State that the parts of a run share.

use super::{ChaosSetup, job::Input, plan::ChaosPlan, trust::Computed};
use crate::swarm::link::Address;
use std::{
    collections::BTreeSet,
    net::TcpListener,
    path::PathBuf,
    sync::{
        Arc, Mutex, MutexGuard, OnceLock,
        atomic::{AtomicU16, Ordering::Relaxed},
    },
    time::Instant,
};
use tokio::sync::watch;

/// The range of the masters' ports: above the ports that browsers refuse, below the ephemeral
/// ports of the system.
const PORTS: std::ops::Range<u16> = 10_100..32_000;
/// The most lines that the log of a run keeps.
const TOLD: usize = 20_000;

/// The shared state of one run.
pub(crate) struct Context {
    pub(crate) plan: ChaosPlan,
    pub(crate) pando: PathBuf,
    /// The inputs of all masters so far, and what devices computed for each.
    lives: Mutex<Vec<(Arc<Input>, Computed)>>,
    pub(crate) forge: bool,
    begun: Instant,
    start: OnceLock<Instant>,
    /// The address of the master.
    address: watch::Sender<Option<Address>>,
    /// The address of the master's room at the relay.
    far: watch::Sender<Option<Address>>,
    pub(crate) port: u16,
    /// The port of the relay.
    pub(crate) far_port: u16,
    told: Mutex<Vec<String>>,
    complaints: Mutex<BTreeSet<String>>,
}

impl Context {
    pub(super) fn new(setup: &ChaosSetup, plan: ChaosPlan) -> Self {
        Self {
            lives: Mutex::new(vec![(
                Arc::new(Input::new(&plan.job, plan.job.values.clone())),
                Computed::default(),
            )]),
            plan,
            pando: setup.pando.clone(),
            forge: setup.forge,
            begun: Instant::now(),
            start: OnceLock::new(),
            address: watch::channel(None).0,
            far: watch::channel(None).0,
            port: free_port(),
            far_port: free_port(),
            told: Mutex::default(),
            complaints: Mutex::default(),
        }
    }

    /// The number of the present master, from 0.
    pub(crate) fn life(&self) -> usize {
        self.lives().len() - 1
    }

    /// The input of the present master.
    pub(crate) fn input(&self) -> Arc<Input> {
        self.lives().last().expect("there is one at least").0.clone()
    }

    /// Notes that another master starts, with this input.
    pub(crate) fn begin_life(&self, input: Arc<Input>) {
        self.lives().push((input, Computed::default()));
    }

    /// The number of items.
    pub(crate) fn count(&self) -> u64 {
        self.input().items.len() as u64
    }

    /// Whether a master sends this item: the one of `life` if it is known, or else any.
    pub(crate) fn is_item(&self, life: Option<usize>, index: u64, bytes: &[u8]) -> bool {
        let lives = self.lives();
        let of = |(input, _): &(Arc<Input>, Computed)| {
            let item = usize::try_from(index).ok().and_then(|at| input.items.get(at));
            item.is_some_and(|item| item == bytes)
        };
        match life {
            Some(life) => of(&lives[life]),
            None => lives.iter().any(of),
        }
    }

    /// Changes the records of what devices computed for a master.
    pub(crate) fn note(&self, life: Option<usize>, change: impl FnOnce(&mut Computed)) {
        if let Some(life) = life {
            change(&mut self.lives()[life].1);
        }
    }

    /// Looks at the inputs of all masters, and at what devices computed for each.
    pub(crate) fn lives(&self) -> MutexGuard<'_, Vec<(Arc<Input>, Computed)>> {
        self.lives.lock().expect("nobody panics with it")
    }

    /// The address for a volunteer: the master, or with `afar` the master's room at the relay, if
    /// there is a relay.
    pub(crate) fn address(&self, afar: bool) -> Address {
        let far = self.far.borrow().clone().filter(|_| afar);
        far.or_else(|| self.address.borrow().clone()).expect("volunteers come when it is known")
    }

    /// Waits until the master's address is known.
    pub(crate) async fn is_known(&self) {
        let _ = self.address.subscribe().wait_for(Option::is_some).await;
    }

    /// Stores an address that the master printed. Returns true for the master's own address, false
    /// for the address of its room at the relay.
    pub(crate) fn set_address(&self, address: Address) -> bool {
        let own = address.host.ends_with(&format!(":{}", self.port));
        if own {
            self.start.get_or_init(Instant::now);
            self.address.send_replace(Some(address));
        } else {
            self.far.send_replace(Some(address));
        }
        own
    }

    /// The start of the volunteers' clock: the moment when the master's address became known.
    pub(crate) fn start(&self) -> Instant {
        *self.start.get_or_init(Instant::now)
    }

    /// Adds a line to the log of the run.
    pub(crate) fn tell(&self, what: &str) {
        let mut told = self.told();
        if told.len() < TOLD {
            told.push(format!("{:9.3} {what}", self.begun.elapsed().as_secs_f64()));
        }
    }

    /// Logs an event that must not happen.
    pub(crate) fn complain(&self, what: String) {
        self.tell(&what);
        self.complaints.lock().expect("nobody panics with it").insert(what);
    }

    /// The log of the run.
    pub(crate) fn told(&self) -> MutexGuard<'_, Vec<String>> {
        self.told.lock().expect("nobody panics with it")
    }

    /// The logged events that must not happen.
    pub(crate) fn complaints(&self) -> Vec<String> {
        self.complaints.lock().expect("nobody panics with it").iter().cloned().collect()
    }
}

/// A port that is free.
pub(super) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let count = PORTS.len() as u16;
    // Each process of this program begins with a different port.
    let first = (std::process::id().wrapping_mul(7919) % u32::from(count)) as u16;
    loop {
        let port = PORTS.start + (first + NEXT.fetch_add(1, Relaxed) % count) % count;
        if TcpListener::bind(("0.0.0.0", port)).is_ok() {
            return port;
        }
    }
}
