//! The prototype of a relay.

use tokio::{io::copy_bidirectional, net::TcpListener};

/// Copies bytes between pairs of sockets until this process ends. Two connections that come one
/// after the other are a pair.
///
/// # Errors
/// When no connection can be accepted.
pub async fn copies() -> anyhow::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    eprintln!("copies at {}", listener.local_addr()?);
    loop {
        let (mut one, _) = listener.accept().await?;
        let (mut other, _) = listener.accept().await?;
        one.set_nodelay(true)?;
        other.set_nodelay(true)?;
        tokio::spawn(async move { copy_bidirectional(&mut one, &mut other).await });
    }
}
