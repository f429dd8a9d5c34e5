//! The URLs under which volunteers reach this machine, also after a move to another network.

use crate::console::Console;
use pando_process::addresses::addresses;
use std::{
    fmt::Display,
    net::{IpAddr, SocketAddr},
    time::Duration,
};
use tokio::time::{MissedTickBehavior, interval};
use url::{Host, Url};

/// The time between checks of this machine's addresses.
const LOOK: Duration = Duration::from_secs(2);

/// The parts of the URLs; see the module.
#[derive(Clone)]
pub(super) struct Urls {
    pub(super) scheme: &'static str,
    pub(super) bind: IpAddr,
    pub(super) port: u16,
    /// The token; empty for open access.
    pub(super) token: String,
    /// The names of the certificate; URLs with names come before URLs with addresses.
    pub(super) names: Vec<String>,
}

impl Urls {
    /// All URLs, best first.
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

    /// Announces the URLs of new addresses; those of `said` are announced already. Calls `best`
    /// when the best URL is new. Never returns.
    pub(super) async fn follow(self, mut said: Vec<IpAddr>, console: Console, best: impl Fn(&str)) {
        let mut tick = interval(LOOK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tick.tick().await;
            let now = addresses(self.bind);
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

/// The addresses to announce. An address that was away is announced again only after the
/// announcement of another address.
fn fresh(said: &mut Vec<IpAddr>, now: &[IpAddr]) -> Vec<IpAddr> {
    let fresh: Vec<IpAddr> =
        now.iter().copied().filter(|address| !said.contains(address)).collect();
    if !fresh.is_empty() {
        *said = now.to_vec();
    }
    fresh
}

/// Explains which URLs are for which devices: the relay's and this machine's `own`. `None` if all
/// are for the same.
pub(super) fn for_whom(relay: Option<&str>, own: &[String]) -> Option<String> {
    let mut groups = [
        ("devices anywhere", Vec::new()),
        ("devices anywhere, unless a firewall blocks them", Vec::new()),
        ("devices on the same network", Vec::new()),
        ("this machine only", Vec::new()),
    ];
    for url in relay.into_iter().chain(own.iter().map(String::as_str)) {
        let parsed = Url::parse(url).ok()?;
        let group = match parsed.host()? {
            Host::Ipv4(v4) if v4.is_loopback() => 3,
            Host::Ipv6(v6) if v6.is_loopback() => 3,
            Host::Domain("localhost") => 3,
            Host::Ipv4(v4)
                if v4.is_private()
                    || v4.is_link_local()
                    || v4.octets()[0] == 100 && v4.octets()[1] & 0xc0 == 64 =>
            {
                2
            }
            Host::Ipv6(v6) if v6.is_unique_local() || v6.is_unicast_link_local() => 2,
            Host::Domain(name) if name.ends_with(".local") || !name.contains('.') => 2,
            _ if relay == Some(url) => 0,
            _ => 1,
        };
        groups[group].1.push(parsed.authority().to_owned());
    }
    let told: Vec<String> = groups
        .iter()
        .filter(|(_, places)| !places.is_empty())
        .map(|(whom, places)| format!("{} for {whom}", places.join(", ")))
        .collect();
    (told.len() > 1).then(|| format!("Which URL is for which devices: {}", told.join("; ")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_said_which_url_is_for_whom_unless_all_are_for_the_same() {
        let own = |urls: &[&str]| {
            urls.iter().map(|url| format!("http://{url}/k7d2m9qx4t/")).collect::<Vec<_>>()
        };
        let home =
            own(&["192.168.1.12:5000", "10.0.0.7:5000", "[2001:db8::1]:5000", "127.0.0.1:5000"]);
        assert_eq!(
            for_whom(Some("https://relay.example.org/pando/k7d2m9qx4t/"), &home).as_deref(),
            Some(
                "Which URL is for which devices: relay.example.org for devices anywhere; [2001:db8::1]:5000 for devices anywhere, unless a \
                 firewall blocks them; 192.168.1.12:5000, 10.0.0.7:5000 for devices on the same network; 127.0.0.1:5000 for this machine only"
            )
        );
        assert_eq!(
            for_whom(None, &own(&["mac.local:5000", "100.64.0.1:5000", "[::1]:5000"])).as_deref(),
            Some(
                "Which URL is for which devices: mac.local:5000, 100.64.0.1:5000 for devices on the same network; [::1]:5000 for this machine only"
            )
        );
        for same in [&["127.0.0.1:5000"][..], &["192.168.1.12:5000", "[fd00::1]:5000"]] {
            assert_eq!(for_whom(None, &own(same)), None);
        }
        let (near, here) = ("http://127.0.0.1:8080/k7d2m9qx4t/", own(&["127.0.0.1:5000"]));
        assert_eq!(for_whom(Some(near), &here), None, "a relay on this machine");
    }

    #[test]
    fn an_address_is_said_again_only_when_others_were_said_since() {
        let [loopback, home, office] =
            ["127.0.0.1", "192.168.1.2", "10.0.0.7"].map(|text| text.parse::<IpAddr>().unwrap());
        let mut said = vec![home, loopback];
        assert_eq!(fresh(&mut said, &[loopback]), [] as [IpAddr; 0]);
        assert_eq!(fresh(&mut said, &[home, loopback]), [] as [IpAddr; 0]);
        assert_eq!(fresh(&mut said, &[office, loopback]), [office]);
        assert_eq!(fresh(&mut said, &[office, loopback]), [] as [IpAddr; 0]);
        assert_eq!(fresh(&mut said, &[home, office, loopback]), [home]);
    }
}
