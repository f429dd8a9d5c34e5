//! Proxies of a test.

use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

/// A SOCKS5 proxy (RFC 1928, RFC 1929), which wants a name and a password if there are any; and
/// where it was asked to connect to.
pub fn socks5_proxy(user: Option<(&'static str, &'static str)>) -> (String, Receiver<String>) {
    proxy(move |stream| {
        let [5, methods] = exactly(stream)? else { return Err(io::ErrorKind::InvalidData.into()) };
        let offered = bytes(stream, methods)?;
        let method = if user.is_some() { 2 } else { 0 };
        if !offered.contains(&method) {
            stream.write_all(&[5, 0xff])?;
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        stream.write_all(&[5, method])?;
        if let Some((name, password)) = user {
            let [1, length] = exactly(stream)? else {
                return Err(io::ErrorKind::InvalidData.into());
            };
            let said_name = bytes(stream, length)?;
            let [length] = exactly(stream)?;
            let is_right = (said_name, bytes(stream, length)?) == (name.into(), password.into());
            stream.write_all(&[1, u8::from(!is_right)])?;
            if !is_right {
                return Err(io::ErrorKind::PermissionDenied.into());
            }
        }
        let host = match exactly(stream)? {
            [5, 1, 0, 1] => std::net::Ipv4Addr::from(exactly::<4>(stream)?).to_string(),
            [5, 1, 0, 3] => {
                let [length] = exactly(stream)?;
                String::from_utf8(bytes(stream, length)?).map_err(|_| io::ErrorKind::InvalidData)?
            }
            _ => return Err(io::ErrorKind::InvalidData.into()),
        };
        let port = u16::from_be_bytes(exactly(stream)?);
        stream.write_all(&[5, 0, 0, 1, 127, 0, 0, 1, 0, 0])?;
        Ok(format!("{host}:{port}"))
    })
}

/// A proxy whose `greet` hears where a connection is to lead.
pub fn proxy(
    greet: impl Fn(&mut TcpStream) -> io::Result<String> + Send + 'static,
) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let at = listener.local_addr().expect("it is bound").to_string();
    let (ask, asked) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(target) = greet(&mut stream) else { continue };
            let relay = TcpStream::connect(&target).expect("something listens there");
            let _ = ask.send(target);
            for (mut from, mut to) in [(&stream, &relay), (&relay, &stream)]
                .map(|(a, b)| (a.try_clone().expect("a handle"), b.try_clone().expect("a handle")))
            {
                thread::spawn(move || {
                    let _ = io::copy(&mut from, &mut to);
                    let _ = to.shutdown(std::net::Shutdown::Write);
                });
            }
        }
    });
    (at, asked)
}

/// A proxy for HTTP, which makes tunnels; and where it was asked to connect to.
pub fn connect_proxy() -> (String, Receiver<String>) {
    proxy(|stream| {
        let mut head = Vec::new();
        while !head.ends_with(b"\r\n\r\n") {
            head.extend(exactly::<1>(stream)?);
        }
        let head = String::from_utf8_lossy(&head).into_owned();
        let target = head.strip_prefix("CONNECT ").and_then(|rest| rest.split(' ').next());
        let target = target.ok_or(io::ErrorKind::InvalidData)?.to_owned();
        stream.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n")?;
        Ok(target)
    })
}

/// The next bytes of a stream.
pub fn exactly<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bytes(stream: &mut TcpStream, count: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count.into()];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
