//! A process that delays all traffic between a master and a volunteer; `bench far` starts it.

use std::time::Duration;

#[tokio::main(flavor = "current_thread")]
async fn main() -> anyhow::Result<()> {
    let millis: u64 = std::env::args().nth(1).unwrap_or_default().parse()?;
    Ok(pando_bench::delay::run(Duration::from_millis(millis), || println!("ready")).await?)
}
