//! The sandboxes, as words around an engine's command line.

use super::{Hold, Kind, Launch, program::EngineProgram};
use crate::node::probe;
use std::{
    ffi::{OsStr, OsString},
    path::{Path, PathBuf},
};

/// The files that connections need: names, certificates.
const NETWORK: [&str; 6] = [
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/ssl/certs",
];

/// The first version of Landlock that also limits connections (Linux 6.7).
const LANDLOCK_WITH_NETWORK: u32 = 4;

/// What holds a core.
#[derive(Debug, Clone)]
pub(super) enum Sandbox {
    /// A world of its own (`bwrap`), and the system calls of [`Sandbox::Landlock`].
    Bubblewrap {
        /// The file of `bwrap`.
        program: PathBuf,
        /// The libraries of the helper.
        helper: Vec<PathBuf>,
    },
    /// The helper restricts itself by Landlock and seccomp, and becomes the engine.
    Landlock {
        /// The oldest version of Landlock that is enough.
        least: u32,
    },
    /// macOS's `sandbox-exec`.
    Seatbelt,
    /// The engine's own permissions.
    Permissions,
}

impl Sandbox {
    /// The sandboxes for an engine, best first. `helper`: the libraries of the helper.
    pub(super) fn all(kind: Kind, helper: &[PathBuf]) -> Vec<Self> {
        if cfg!(target_os = "linux") {
            // An engine with permissions of its own is held twice.
            let least = if kind == Kind::Deno { 1 } else { LANDLOCK_WITH_NETWORK };
            let bubblewrap = probe::on_path("bwrap")
                .map(|program| Self::Bubblewrap { program, helper: helper.to_vec() });
            return bubblewrap.into_iter().chain([Self::Landlock { least }]).collect();
        }
        let mut all = Vec::new();
        if cfg!(target_os = "macos") {
            all.push(Self::Seatbelt);
        }
        // The embedded engine has the language only: nothing to read, write or connect with.
        if matches!(kind, Kind::Deno | Kind::Embedded) {
            all.push(Self::Permissions);
        }
        all
    }

    /// The sandbox for people, after the name of the engine.
    pub(super) fn words(&self) -> &'static str {
        match self {
            Self::Bubblewrap { .. } => "inside bubblewrap",
            Self::Landlock { .. } => "inside Landlock and seccomp",
            Self::Seatbelt => "inside sandbox-exec",
            Self::Permissions => "without permissions",
        }
    }

    /// The reason for people why an engine does not start in this sandbox.
    pub(super) fn fails_with(&self, kind: Kind, why: &str) -> String {
        // What a program complains about stands on the lines after its exit status.
        let words = why.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or(why).trim();
        let words = words.strip_prefix("bwrap: ").unwrap_or(words);
        match self {
            Self::Bubblewrap { .. } => format!("bubblewrap does not work here ({words})"),
            Self::Landlock { .. } | Self::Seatbelt => {
                format!("{kind} does not work {} ({words})", self.words())
            }
            Self::Permissions => format!("{kind} does not start ({words})"),
        }
    }

    /// Puts the sandbox around an engine.
    pub(super) fn around(
        &self,
        free: Launch,
        kind: Kind,
        program: &EngineProgram,
        hold: &Hold,
        assets: Option<&Path>,
        network: bool,
    ) -> Launch {
        let files: Vec<PathBuf> = program
            .libraries
            .iter()
            .chain([&program.path])
            .cloned()
            .chain(assets.map(PathBuf::from))
            .chain(NETWORK.iter().filter(|_| network).map(PathBuf::from))
            .filter(|path| path.exists())
            .collect();
        let mut words = Words::default();
        match self {
            Self::Bubblewrap { program, helper } => {
                words.0.push(program.clone().into());
                words.bubblewrap(&files, helper, hold, network);
                words.helper(kind, hold, &files, 0, None, network);
            }
            Self::Landlock { least } => {
                words.helper(kind, hold, &files, *least, Some(std::process::id()), network);
            }
            Self::Seatbelt => words.seatbelt(&files, network),
            Self::Permissions => {}
        }
        words.0.extend(free.words.clone());
        Launch { words: words.0, clears_env: true, ..free }
    }
}

/// A command line in the making.
#[derive(Default)]
struct Words(Vec<OsString>);

impl Words {
    fn add(&mut self, words: &[&str]) {
        self.0.extend(words.iter().map(OsString::from));
    }

    /// A world with these files, which can only be read, and nothing else.
    fn bubblewrap(&mut self, files: &[PathBuf], helper: &[PathBuf], hold: &Hold, network: bool) {
        self.add(&["--unshare-user", "--unshare-ipc", "--unshare-pid", "--unshare-uts"]);
        self.add(&["--unshare-cgroup-try", "--die-with-parent", "--new-session"]);
        self.add(&["--cap-drop", "ALL", "--hostname", "pando", "--uid", "65534", "--gid", "65534"]);
        if !network {
            self.add(&["--unshare-net"]);
        }
        for path in files.iter().chain(helper).chain([&hold.helper]) {
            self.add(&["--ro-bind"]);
            self.0.extend([OsStr::new(path), OsStr::new(path)].map(OsString::from));
        }
        // A function could fill the memory of the machine with files, so none can be written.
        self.add(&["--proc", "/proc", "--dev", "/dev", "--remount-ro", "/dev"]);
        self.add(&["--remount-ro", "/", "--chdir", "/", "--"]);
    }

    /// The helper, which restricts itself; see `exec.rs`.
    fn helper(
        &mut self,
        kind: Kind,
        hold: &Hold,
        files: &[PathBuf],
        least: u32,
        parent: Option<u32>,
        network: bool,
    ) {
        self.0.push(hold.helper.clone().into());
        self.add(&["sandbox-exec", "--landlock", &least.to_string()]);
        if let Some(parent) = parent {
            self.add(&["--parent", &parent.to_string()]);
        }
        if network {
            self.add(&["--network"]);
        }
        for path in files {
            self.add(&["--read"]);
            self.0.push(path.into());
        }
        for path in kind.reads_at_start() {
            self.add(&["--read", path]);
        }
        self.add(&["--"]);
    }

    /// A profile that denies everything but these files and what any process needs to start.
    fn seatbelt(&mut self, files: &[PathBuf], network: bool) {
        let mut profile = String::from(
            "(version 1)(deny default)(import \"dyld-support.sb\")(allow process-exec*)\
             (allow sysctl-read)(allow mach-lookup (global-name \"com.apple.system.logger\"))\
             (allow file-read-metadata)(allow file-read* (subpath \"/System\") (subpath \"/usr/lib\") \
             (literal \"/dev/urandom\") (literal \"/dev/null\"))",
        );
        for path in files {
            let path = path.to_string_lossy().replace('\\', "\\\\").replace('"', "\\\"");
            profile.push_str(&format!("(allow file-read* (subpath \"{path}\"))"));
        }
        if network {
            profile.push_str("(allow network-outbound)(allow system-socket)");
        }
        self.add(&["sandbox-exec", "-p", &profile]);
    }
}
