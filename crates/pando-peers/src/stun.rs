//! The part of STUN (RFC 8489) outside single connections: the connection that a request is for,
//! and the address of this machine as seen from outside. Pure.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The id of a request, which its answer repeats.
pub(crate) type Transaction = [u8; 12];

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;
const BINDING_REQUEST: [u8; 2] = [0x00, 0x01];
const BINDING_SUCCESS: [u8; 2] = [0x01, 0x01];
const USERNAME: u16 = 0x0006;
const MAPPED_ADDRESS: u16 = 0x0001;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

/// Whether `packet` is STUN; all other packets are DTLS.
pub(crate) fn is_stun(packet: &[u8]) -> bool {
    packet.len() >= HEADER && packet[0] < 4 && packet[4..8] == COOKIE
}

/// A request for the address from which the server receives it.
pub(crate) fn binding_request(transaction: Transaction) -> [u8; HEADER] {
    let mut packet = [0; HEADER];
    packet[..2].copy_from_slice(&BINDING_REQUEST);
    packet[4..8].copy_from_slice(&COOKIE);
    packet[8..].copy_from_slice(&transaction);
    packet
}

/// The transaction of a STUN packet.
pub(crate) fn transaction(packet: &[u8]) -> Option<Transaction> {
    packet.get(8..HEADER)?.try_into().ok()
}

/// The address in an answer to [`binding_request`].
pub(crate) fn mapped_address(packet: &[u8]) -> Option<SocketAddr> {
    if !is_stun(packet) || packet[..2] != BINDING_SUCCESS {
        return None;
    }
    let plain = || attribute(packet, MAPPED_ADDRESS).and_then(|value| address(value, [0; 16]));
    let mut mask = [0; 16];
    mask.copy_from_slice(&packet[4..HEADER]);
    attribute(packet, XOR_MAPPED_ADDRESS).and_then(|value| address(value, mask)).or_else(plain)
}

/// The name of the connection that `packet` is for: `USERNAME` is `local:remote`.
pub(crate) fn local_fragment(packet: &[u8]) -> Option<&str> {
    let name = std::str::from_utf8(attribute(packet, USERNAME)?).ok()?;
    name.split_once(':').map(|(local, _)| local)
}

fn attribute(packet: &[u8], wanted: u16) -> Option<&[u8]> {
    let mut rest = packet.get(HEADER..)?;
    while let [a, b, c, d, value @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        if u16::from_be_bytes([*a, *b]) == wanted {
            return value.get(..length);
        }
        rest = value.get(length.next_multiple_of(4)..)?;
    }
    None
}

fn address(value: &[u8], mask: [u8; 16]) -> Option<SocketAddr> {
    let [_, family, a, b, host @ ..] = value else { return None };
    let port = u16::from_be_bytes([a ^ mask[0], b ^ mask[1]]);
    let unmasked = |(byte, mask): (&u8, &u8)| byte ^ mask;
    let host: Vec<u8> = host.iter().zip(&mask).map(unmasked).collect();
    let ip: IpAddr = match family {
        1 => Ipv4Addr::from(<[u8; 4]>::try_from(host.get(..4)?).ok()?).into(),
        2 => Ipv6Addr::from(<[u8; 16]>::try_from(host).ok()?).into(),
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The answers of RFC 5769, 2.2 and 2.3, and the request of 2.1.
    const REQUEST: &[u8] = b"\x00\x01\x00\x58\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x10STUN test client\x00\x24\x00\x04\x6e\x00\x01\xff\x80\x29\x00\x08\x93\x2f\xf9\xb1\x51\x26\x3b\x36\
        \x00\x06\x00\x09evtj:h6vY\x20\x20\x20";
    const ANSWER_V4: &[u8] =
        b"\x01\x01\x00\x3c\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0btest vector\x20\x00\x20\x00\x08\x00\x01\xa1\x47\xe1\x12\xa6\x43";
    const ANSWER_V6: &[u8] =
        b"\x01\x01\x00\x48\x21\x12\xa4\x42\xb7\xe7\xa7\x01\xbc\x34\xd6\x86\xfa\x87\xdf\xae\
        \x80\x22\x00\x0btest vector\x20\x00\x20\x00\x14\x00\x02\xa1\x47\
        \x01\x13\xa9\xfa\xa5\xd3\xf1\x79\xbc\x25\xf4\xb5\xbe\xd2\xb9\xd9";

    #[test]
    fn the_vectors_of_rfc_5769_are_understood() {
        assert!(is_stun(REQUEST));
        assert_eq!(local_fragment(REQUEST), Some("evtj"));
        assert_eq!(mapped_address(REQUEST), None);
        assert_eq!(mapped_address(ANSWER_V4), Some("192.0.2.1:32853".parse().unwrap()));
        let v6 = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(mapped_address(ANSWER_V6), Some(v6));
        assert_eq!(transaction(ANSWER_V4), transaction(REQUEST));
    }

    #[test]
    fn an_unmasked_address_of_an_old_server_is_understood() {
        let mut answer = binding_request([7; 12]).to_vec();
        answer[0] = 1;
        answer.extend_from_slice(b"\x00\x01\x00\x08\x00\x01\x13\x88\xc0\x00\x02\x07");
        assert_eq!(mapped_address(&answer), Some("192.0.2.7:5000".parse().unwrap()));
    }

    #[test]
    fn a_request_has_its_transaction_and_nothing_else() {
        let request = binding_request([7; 12]);
        assert!(is_stun(&request));
        assert_eq!((transaction(&request), local_fragment(&request)), (Some([7; 12]), None));
    }

    #[test]
    fn packets_cut_short_are_not_understood() {
        for packet in [REQUEST, ANSWER_V4, ANSWER_V6] {
            for length in 0..packet.len() - 4 {
                let cut = &packet[..length];
                assert_eq!((mapped_address(cut), local_fragment(cut)), (None, None), "{length}");
            }
        }
        assert!(!is_stun(b"\x16\xfe\xfd"));
    }
}
