//! A master whose way to the relay leads through a SOCKS proxy.

use pando_testing::{PandoCommand, RelayProcess, SECRET, exactly, proxy, socks5_proxy};
use std::io::{self, Write};

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
        let (at, asked) = socks5_proxy(None);
        master(&relay, &format!("{scheme}://{at}")).run().gives("1\n");
        assert_eq!(asked.recv().unwrap(), relay.url().trim_start_matches("http://"));
    }
}

#[test]
fn a_socks_proxy_looks_up_the_relay_s_name() {
    let relay = RelayProcess::start(&[]);
    let (at, asked) = socks5_proxy(None);
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
    let (at, asked) = socks5_proxy(Some(("ann", "se:cret")));
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
    let (at, asked) = proxy(|stream| {
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
