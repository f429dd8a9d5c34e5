//! The network addresses of this machine.

use std::net::{IpAddr, Ipv4Addr};

/// The addresses of this machine for a server bound to `bind`, best first: home and office
/// networks, public addresses, containers and virtual machines, loopback.
pub fn addresses(bind: IpAddr) -> Vec<IpAddr> {
    if !bind.is_unspecified() {
        return vec![bind];
    }
    let interfaces = if_addrs::get_if_addrs().unwrap_or_default();
    let mut found: Vec<(u8, String, IpAddr)> = interfaces
        .into_iter()
        .filter(|interface| bind.is_ipv6() || interface.ip().is_ipv4())
        .filter(|interface| !is_link_local(interface.ip()))
        .map(|interface| {
            (rank(&interface.name, interface.ip()), interface.name.clone(), interface.ip())
        })
        .collect();
    found.sort();
    let mut addresses: Vec<IpAddr> = found.into_iter().map(|(_, _, address)| address).collect();
    addresses.dedup();
    if addresses.is_empty() {
        addresses.push(Ipv4Addr::LOCALHOST.into());
    }
    addresses
}

fn is_link_local(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => v4.is_link_local(),
        IpAddr::V6(v6) => v6.is_unicast_link_local(),
    }
}

fn rank(interface: &str, address: IpAddr) -> u8 {
    const VIRTUAL: [&str; 8] =
        ["docker", "br-", "veth", "virbr", "vmnet", "vboxnet", "tun", "utun"];
    if address.is_loopback() {
        return 9;
    }
    let virtual_one =
        if VIRTUAL.iter().any(|prefix| interface.starts_with(prefix)) { 4 } else { 0 };
    virtual_one
        + match address {
            IpAddr::V4(v4) if v4.octets()[0] == 192 && v4.octets()[1] == 168 => 0,
            IpAddr::V4(v4) if v4.is_private() => 1,
            IpAddr::V4(_) => 2,
            IpAddr::V6(_) => 3,
        }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn home_networks_come_before_containers_and_loopback() {
        let of = |name: &str, address: &str| rank(name, address.parse().unwrap());
        let order = [
            of("wlan0", "192.168.1.12"),
            of("eth0", "10.0.0.3"),
            of("eth0", "8.8.8.8"),
            of("docker0", "172.17.0.1"),
            of("lo", "127.0.0.1"),
        ];
        assert!(order.is_sorted());
    }

    #[test]
    fn a_bound_address_is_the_only_one() {
        let bound: IpAddr = [127, 0, 0, 1].into();
        assert_eq!(addresses(bound), [bound]);
    }
}
