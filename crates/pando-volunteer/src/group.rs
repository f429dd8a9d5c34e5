//! Process groups: a child and all descendants are ended together, even if this process is killed.

#[cfg(not(unix))]
pub use elsewhere::*;
#[cfg(unix)]
pub use unix::*;

#[cfg(unix)]
mod unix {
    use pando_process::secrets;
    use std::{
        io::Write,
        os::unix::process::CommandExt,
        process::{ChildStdin, Stdio},
        sync::{Arc, Mutex},
    };
    use tokio::process::{Child, Command};

    /// A shell script that reads the ids of process groups, and kills the groups at the end of the
    /// input. The input ends together with this process, for whatever reason.
    const SCRIPT: &str = r#"trap '' INT TERM HUP; groups=' '
while read -r sign group; do case $sign in
+) groups="$groups$group " ;;
-) case $groups in *" $group "*) groups="${groups%% $group *} ${groups#* $group }" ;; esac ;;
esac; done
for group in $groups; do kill -s KILL -- "-$group" 2>/dev/null; done"#;

    /// Makes `command` the leader of its own process group.
    pub fn leader(mut command: Command) -> Command {
        command.process_group(0);
        command
    }

    /// Kills the group that `child` leads, unless the child has been waited for.
    pub(crate) fn kill_all(child: &Child) {
        if let Some(group) = child.id() {
            kill(group);
        }
    }

    fn kill(group: u32) {
        if let Some(group) = rustix::process::Pid::from_raw(group as i32) {
            let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
        }
    }

    /// A process to kill the guarded groups when the present process ends.
    #[derive(Debug)]
    pub struct Guard(Mutex<ChildStdin>);

    impl Guard {
        /// Starts the process.
        ///
        /// # Errors
        /// When the system refuses another process.
        pub fn start() -> std::io::Result<Self> {
            let mut guard = secrets::command("sh")
                .args(["-c", SCRIPT])
                .stdin(Stdio::piped())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .process_group(0)
                .spawn()?;
            let stdin = guard.stdin.take().expect("piped");
            // The guard outlives this process, so nothing waits for its end.
            Ok(Self(Mutex::new(stdin)))
        }

        /// Guards the group that `child` leads.
        pub fn guard(self: Arc<Self>, child: &Child) -> Member {
            let group = child.id().unwrap_or_default();
            self.note('+', group);
            Member { guard: self, group }
        }

        fn note(&self, sign: char, group: u32) {
            if let Ok(mut guard) = self.0.lock() {
                let _ = writeln!(guard, "{sign} {group}");
            }
        }
    }

    /// A guarded process group.
    #[derive(Debug)]
    pub struct Member {
        guard: Arc<Guard>,
        group: u32,
    }

    impl Member {
        /// Kills the group. Its leader must not have been waited for.
        pub fn kill(&self) {
            kill(self.group);
            self.forget();
        }

        /// Ends the guard of the group, because its leader has ended by itself.
        pub fn forget(&self) {
            self.guard.note('-', self.group);
        }
    }
}

#[cfg(not(unix))]
mod elsewhere {
    use std::sync::Arc;
    use tokio::process::{Child, Command};

    /// There are no process groups on this system.
    pub fn leader(command: Command) -> Command {
        command
    }

    pub(crate) fn kill_all(_: &Child) {}

    /// There are no guards on this system: children end when their standard input ends.
    #[derive(Debug)]
    pub struct Guard;

    impl Guard {
        /// Always succeeds.
        ///
        /// # Errors
        /// Never.
        pub fn start() -> std::io::Result<Self> {
            Ok(Self)
        }

        /// Guards nothing.
        pub fn guard(self: Arc<Self>, _: &Child) -> Member {
            Member
        }
    }

    /// Nothing is guarded.
    #[derive(Debug)]
    pub struct Member;

    impl Member {
        /// Does nothing.
        pub fn kill(&self) {}

        /// Does nothing.
        pub fn forget(&self) {}
    }
}
