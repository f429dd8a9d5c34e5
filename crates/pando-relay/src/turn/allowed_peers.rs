//! Whom TURN may reach: never the relay's own insides, nor its private network unless that is what
//! it is for.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Where Azure's machines ask for their settings: an address that looks like any other.
const INNER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// See the module.
#[derive(Debug, Clone)]
pub(crate) struct AllowedPeers {
    /// Loopback may be reached: the relay itself is bound to it.
    pub(crate) loopback: bool,
    /// Private networks may be reached.
    pub(crate) private: bool,
    /// Addresses of this machine.
    pub(crate) own: Vec<IpAddr>,
}

impl AllowedPeers {
    /// Whether packets may go to `address` and come from it.
    pub(crate) fn allow(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        if self.own.contains(&address) && !address.is_loopback() {
            return false;
        }
        match address {
            IpAddr::V4(v4) => self.allow_v4(v4),
            IpAddr::V6(v6) => self.allow_v6(v6),
        }
    }

    fn allow_v4(&self, v4: Ipv4Addr) -> bool {
        let [a, b, c, _] = v4.octets();
        if v4.is_loopback() {
            return self.loopback;
        }
        if a == 0 || v4.is_link_local() || a >= 224 || v4 == INNER {
            return false;
        }
        // Besides private networks: carriers', protocol assignments, benchmarks.
        let private = v4.is_private()
            || (a == 100 && b & 0xc0 == 64)
            || (a, b, c) == (192, 0, 0)
            || (a == 198 && b & 0xfe == 18);
        !private || self.private
    }

    fn allow_v6(&self, v6: Ipv6Addr) -> bool {
        let segments = v6.segments();
        if v6.is_loopback() {
            return self.loopback;
        }
        if v6.is_unique_local() {
            return self.private;
        }
        // Only what is routed through the world, and of that no IPv4 address dressed as IPv6: 6to4,
        // Teredo.
        segments[0] & 0xe000 == 0x2000 && segments[0] != 0x2002 && segments[..2] != [0x2001, 0]
    }
}

/// Whether volunteers elsewhere cannot reach `address`.
pub(crate) fn is_private(address: IpAddr) -> bool {
    !AllowedPeers { loopback: false, private: false, own: Vec::new() }.allow(address)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn allowed(peers: &AllowedPeers, address: &str) -> bool {
        peers.allow(address.parse().unwrap())
    }

    #[test]
    fn the_relay_s_own_insides_are_never_reached() {
        let peers =
            AllowedPeers { loopback: false, private: true, own: vec!["8.8.8.8".parse().unwrap()] };
        let inside = [
            "127.0.0.1",
            "127.1.2.3",
            "0.0.0.0",
            "0.1.2.3",
            "169.254.169.254",
            "224.0.0.1",
            "240.0.0.1",
            "255.255.255.255",
            "::1",
            "::",
            "::ffff:127.0.0.1",
            "::ffff:169.254.169.254",
            "::127.0.0.1",
            "::ffff:0:127.0.0.1",
            "64:ff9b::7f00:1",
            "64:ff9b:1::a00:1",
            "fec0::1",
            "2002:7f00:1::",
            "2001::1",
            "fe80::1",
            "ff02::1",
            "8.8.8.8",
            "168.63.129.16",
        ];
        for address in inside {
            assert!(!allowed(&peers, address), "{address}");
        }
        for address in ["1.1.1.1", "10.0.0.1", "fd00::1", "2606:4700::1"] {
            assert!(allowed(&peers, address), "{address}");
        }
    }

    #[test]
    fn private_networks_and_loopback_are_reached_only_if_that_is_wanted() {
        let strict = AllowedPeers { loopback: false, private: false, own: Vec::new() };
        for address in
            ["10.0.0.1", "172.16.0.1", "192.168.1.1", "100.64.0.1", "198.18.0.1", "fd00::1"]
        {
            assert!(
                !allowed(&strict, address) && is_private(address.parse().unwrap()),
                "{address}"
            );
        }
        let loose = AllowedPeers { loopback: true, private: true, own: Vec::new() };
        assert!(
            allowed(&loose, "127.0.0.1") && allowed(&loose, "::1") && allowed(&loose, "100.64.0.1")
        );
    }
}
