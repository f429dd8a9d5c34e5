//! Under which URLs volunteers reach this machine: also after it has moved to another network.

use crate::{console::Console, server};
use std::{
    fmt::Display,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};

/// Between two looks at this machine's addresses.
const LOOK: Duration = Duration::from_secs(2);

/// See the module.
pub(super) struct Urls {
    pub(super) scheme: &'static str,
    pub(super) bind: IpAddr,
    pub(super) port: u16,
    /// Empty: open access.
    pub(super) token: String,
    /// Those that a certificate is for come before addresses.
    pub(super) names: Vec<String>,
}

impl Urls {
    /// All of them, best first.
    pub(super) fn all(&self, addresses: &[IpAddr]) -> Vec<String> {
        let names = self.names.iter().map(|name| self.of(format_args!("{name}:{}", self.port)));
        names.chain(addresses.iter().map(|address| self.of_address(*address))).collect()
    }

    fn of_address(&self, address: IpAddr) -> String {
        self.of(SocketAddr::new(address, self.port))
    }

    fn of(&self, place: impl Display) -> String {
        match &*self.token {
            "" => format!("{}://{place}/", self.scheme),
            token => format!("{}://{place}/{token}/", self.scheme),
        }
    }

    /// Says those of new addresses, now that those of `said` are said; `best` is told when the best one is new. Never ends.
    pub(super) async fn follow(self, mut said: Vec<IpAddr>, console: Console, best: impl Fn(&str)) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let now = server::addresses(self.bind);
            let fresh = fresh(&mut said, &now);
            for address in &fresh {
                console.say(format!("Serving volunteer code at {}", self.of_address(*address)));
            }
            if fresh.first().is_some_and(|address| now.first() == Some(address)) {
                best(&self.of_address(now[0]));
            }
        }
    }
}

/// The addresses to say. One that was away meanwhile is said only if others were said since.
fn fresh(said: &mut Vec<IpAddr>, now: &[IpAddr]) -> Vec<IpAddr> {
    let fresh: Vec<IpAddr> = now.iter().copied().filter(|address| !said.contains(address)).collect();
    if !fresh.is_empty() {
        *said = now.to_vec();
    }
    fresh
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_said_again_only_when_others_were_said_since() {
        let [loopback, home, office] = ["127.0.0.1", "192.168.1.2", "10.0.0.7"].map(|text| text.parse::<IpAddr>().unwrap());
        let mut said = vec![home, loopback];
        assert_eq!(fresh(&mut said, &[loopback]), [] as [IpAddr; 0]);
        assert_eq!(fresh(&mut said, &[home, loopback]), [] as [IpAddr; 0]);
        assert_eq!(fresh(&mut said, &[office, loopback]), [office]);
        assert_eq!(fresh(&mut said, &[office, loopback]), [] as [IpAddr; 0]);
        assert_eq!(fresh(&mut said, &[home, office, loopback]), [home]);
    }
}
