//! The STUN and TURN servers that volunteers and masters are given.

use super::turn::Credentials;
use pando_protocol::ice::IceServer;
use std::time::SystemTime;

/// Public STUN servers, for a relay without its own UDP port.
pub(crate) const PUBLIC_STUN: [&str; 2] = ["stun.l.google.com:19302", "stun.cloudflare.com:3478"];

/// The configured servers; see the module.
pub(crate) struct Ice {
    /// The port of the relay's own STUN and TURN.
    pub(crate) port: Option<u16>,
    /// The host of STUN and TURN, unless it is the host of the room's URL.
    pub(crate) host: Option<String>,
    /// Further STUN servers, `host:port`.
    pub(crate) stun: Vec<String>,
    /// Credentials for the relay's own TURN.
    pub(crate) credentials: Credentials,
}

impl Ice {
    /// A list of `RTCIceServer` for the volunteers and the master of `room`, who know the relay as
    /// `host`.
    pub(crate) fn servers(&self, host: &str, room: &str, now: SystemTime) -> Vec<IceServer> {
        let mut servers = Vec::new();
        if let Some(own) = self.own(host) {
            let credential = self.credentials.grant(room, now);
            servers.push(stun(&own));
            servers.push(IceServer {
                urls: vec![format!("turn:{own}?transport=udp")],
                username: Some(credential.username),
                credential: Some(credential.password),
            });
        }
        servers.extend(self.stun.iter().map(|server| stun(server)));
        servers
    }

    /// STUN servers as `host:port`, for a master.
    pub(crate) fn stun(&self, host: &str) -> Vec<String> {
        self.own(host).into_iter().chain(self.stun.iter().cloned()).collect()
    }

    fn own(&self, host: &str) -> Option<String> {
        let port = self.port?;
        Some(format!("{}:{port}", self.host.as_deref().unwrap_or(host)))
    }
}

fn stun(server: &str) -> IceServer {
    IceServer { urls: vec![format!("stun:{server}")], username: None, credential: None }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;
    use std::time::Duration;

    fn ice(port: Option<u16>, host: Option<&str>, stun: &[&str]) -> Ice {
        let credentials = Credentials::new(Duration::from_secs(60));
        Ice {
            port,
            host: host.map(str::to_owned),
            stun: stun.iter().map(|s| (*s).to_owned()).collect(),
            credentials,
        }
    }

    #[test]
    fn the_relay_s_own_servers_come_with_credentials_of_the_room() {
        let ice = ice(Some(3478), None, &[]);
        let servers = json!(ice.servers("relay.example.org", "room", SystemTime::now()));
        assert_eq!(servers[0], json!({"urls": ["stun:relay.example.org:3478"]}));
        assert_eq!(servers[1]["urls"], json!(["turn:relay.example.org:3478?transport=udp"]));
        assert!(servers[1]["username"].as_str().unwrap().ends_with(":room"));
        assert_eq!(
            servers[1]["credential"],
            ice.credentials.password(servers[1]["username"].as_str().unwrap())
        );
        assert_eq!(ice.stun("[::1]"), ["[::1]:3478"]);
    }

    #[test]
    fn a_relay_without_udp_names_others() {
        let ice = ice(None, Some("1.2.3.4"), &["stun.example.org:19302"]);
        assert_eq!(
            json!(ice.servers("relay", "room", SystemTime::now())),
            json!([{"urls": ["stun:stun.example.org:19302"]}])
        );
        assert_eq!(ice.stun("relay"), ["stun.example.org:19302"]);
    }

    #[test]
    fn a_public_address_stands_for_the_host_behind_a_proxy() {
        assert_eq!(ice(Some(3478), Some("1.2.3.4"), &[]).stun("cdn.example.org"), ["1.2.3.4:3478"]);
    }
}
