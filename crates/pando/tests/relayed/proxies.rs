//! A master whose way to the relay leads through a SOCKS proxy.

use pando_testing::{PandoCommand, RelayProcess, SECRET};
use std::{
    io::{self, Read, Write},
    net::{TcpListener, TcpStream},
    sync::mpsc::{Receiver, channel},
    thread,
};

fn master(relay: &RelayProcess, proxy: &str) -> PandoCommand {
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--host", relay.url(), "--secret", SECRET])
        .stdin("1\n");
    run.env("ALL_PROXY", proxy)
}

#[test]
fn a_socks_proxy_makes_the_tunnel() {
    let relay = RelayProcess::start(&[]);
    for scheme in ["socks5", "socks5h"] {
        let (at, asked) = socks5(None);
        master(&relay, &format!("{scheme}://{at}")).run().gives("1\n");
        assert_eq!(asked.recv().unwrap(), relay.url().trim_start_matches("http://"));
    }
}

#[test]
fn a_socks_proxy_looks_up_the_relay_s_name() {
    let relay = RelayProcess::start(&[]);
    let (at, asked) = socks5(None);
    let named = relay.url().replace("127.0.0.1", "localhost");
    let run = PandoCommand::f("(x, cb) => cb(null, x)")
        .args(["--host", &named, "--secret", SECRET])
        .stdin("1\n");
    run.env("ALL_PROXY", format!("socks5://{at}")).run().gives("1\n");
    assert_eq!(asked.recv().unwrap(), named.trim_start_matches("http://"));
}

#[test]
fn a_socks_proxy_with_a_password_takes_the_right_one_only() {
    let relay = RelayProcess::start(&[]);
    let (at, asked) = socks5(Some(("ann", "se:cret")));
    master(&relay, &format!("socks5://ann:se%3Acret@{at}")).run().gives("1\n");
    assert_eq!(asked.recv().unwrap(), relay.url().trim_start_matches("http://"));
    let wrong = master(&relay, &format!("socks5://ann:wrong@{at}")).run();
    wrong
        .ends(2, "")
        .said(&["error: the proxy ", "credentials not accepted", "NO_PROXY"])
        .did_not_say(&["wrong@"]);
    let none = master(&relay, &format!("socks5://{at}")).run();
    none.ends(2, "").said(&[
        "error: the proxy ",
        "wants a name and a password: HTTPS_PROXY=socks5://NAME:PASSWORD@",
    ]);
}

#[test]
fn a_socks4_proxy_makes_the_tunnel() {
    let relay = RelayProcess::start(&[]);
    let (at, asked) = serve(|stream| {
        let [4, 1, port @ .., _, _, _, _] = exactly::<8>(stream)? else {
            return Err(io::ErrorKind::InvalidData.into());
        };
        // A name of nobody.
        while exactly::<1>(stream)? != [0] {}
        stream.write_all(&[0, 90, 0, 0, 0, 0, 0, 0])?;
        Ok(format!("127.0.0.1:{}", u16::from_be_bytes(port)))
    });
    master(&relay, &format!("socks4://{at}")).run().gives("1\n");
    assert_eq!(asked.recv().unwrap(), relay.url().trim_start_matches("http://"));
}

#[test]
fn a_proxy_that_is_not_there() {
    let relay = RelayProcess::start(&[]);
    for scheme in ["http", "socks5"] {
        let at = format!("127.0.0.1:{}", pando_testing::free_port());
        let run = master(&relay, &format!("{scheme}://{at}")).run();
        run.ends(2, "").said(&[
            &format!("error: the proxy {scheme}://{at}/ makes no connection to "),
            "NO_PROXY",
        ]);
    }
}

/// A SOCKS5 proxy (RFC 1928, RFC 1929), which wants a name and a password if there are any; and where it was asked to connect to.
fn socks5(user: Option<(&'static str, &'static str)>) -> (String, Receiver<String>) {
    serve(move |stream| {
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
fn serve(
    greet: impl Fn(&mut TcpStream) -> io::Result<String> + Send + 'static,
) -> (String, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let at = listener.local_addr().unwrap().to_string();
    let (ask, asked) = channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().flatten() {
            let Ok(target) = greet(&mut stream) else { continue };
            let relay = TcpStream::connect(&target).unwrap();
            let _ = ask.send(target);
            for (mut from, mut to) in [(&stream, &relay), (&relay, &stream)]
                .map(|(a, b)| (a.try_clone().unwrap(), b.try_clone().unwrap()))
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

fn exactly<const N: usize>(stream: &mut TcpStream) -> io::Result<[u8; N]> {
    let mut bytes = [0; N];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}

fn bytes(stream: &mut TcpStream, count: u8) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; count.into()];
    stream.read_exact(&mut bytes)?;
    Ok(bytes)
}
