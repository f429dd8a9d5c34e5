//! How much the relay carries.

use clap::Args;
use pando_process::duration::duration;
use std::time::Duration;

/// How much the relay carries, of what.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Limits")]
pub struct Limits {
    /// Rooms at a time: one per running master
    #[arg(long, env = "PANDO_RELAY_MAX_ROOMS", value_name = "N", default_value_t = 500)]
    pub max_rooms: usize,

    /// Volunteers of one room that signal or whose bytes pass through, at a time
    #[arg(long, env = "PANDO_RELAY_MAX_VOLUNTEERS", value_name = "N", default_value_t = 1000)]
    pub max_volunteers: usize,

    /// Size of one function with its packages
    #[arg(long, env = "PANDO_RELAY_MAX_FUNCTION", value_name = "BYTES", default_value = "32M", value_parser = size)]
    pub max_function: u64,

    /// Size of all rooms' functions together
    #[arg(long, env = "PANDO_RELAY_MAX_MEMORY", value_name = "BYTES", default_value = "512M", value_parser = size)]
    pub max_memory: u64,

    /// Connections at a time
    #[arg(long, env = "PANDO_RELAY_MAX_CONNECTIONS", value_name = "N", default_value_t = 10_000)]
    pub max_connections: usize,

    /// Connections of one address at a time, besides those of masters
    #[arg(
        long,
        env = "PANDO_RELAY_MAX_CONNECTIONS_PER_ADDRESS",
        value_name = "N",
        default_value_t = 500
    )]
    pub max_connections_per_address: usize,

    /// TURN allocations of one room at a time
    #[arg(long, env = "PANDO_RELAY_MAX_ALLOCATIONS", value_name = "N", default_value_t = 50)]
    pub max_allocations: usize,

    /// Bytes that pass through for one room, per second
    #[arg(long, env = "PANDO_RELAY_ROOM_RATE", value_name = "BYTES", default_value = "24M", value_parser = size)]
    pub room_rate: u64,

    /// Time for which a room whose master was lost is kept for it
    #[arg(long, env = "PANDO_RELAY_KEEP", value_name = "DUR", default_value = "60s", value_parser = duration)]
    pub keep: Duration,
}

#[cfg(test)]
impl Default for Limits {
    fn default() -> Self {
        #[derive(clap::Parser)]
        struct Alone {
            #[command(flatten)]
            limits: Limits,
        }
        <Alone as clap::Parser>::parse_from(["pando relay"]).limits
    }
}

/// `500`, `64k`, `32M`, `2G`: bytes, in powers of 1024.
fn size(text: &str) -> Result<u64, String> {
    let (number, factor) = match text.char_indices().last() {
        Some((at, 'k' | 'K')) => (&text[..at], 1 << 10),
        Some((at, 'm' | 'M')) => (&text[..at], 1 << 20),
        Some((at, 'g' | 'G')) => (&text[..at], 1 << 30),
        _ => (text, 1),
    };
    let bytes = number
        .parse::<u64>()
        .ok()
        .and_then(|number| number.checked_mul(factor))
        .filter(|bytes| *bytes > 0);
    bytes.ok_or_else(|| "give a number of bytes from 1 up, such as 500000, 64k, 32M or 2G".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes() {
        assert_eq!(size("500"), Ok(500));
        assert_eq!(size("64k"), Ok(65_536));
        assert_eq!(size("32M"), Ok(33_554_432));
        assert_eq!(size("2G"), Ok(2_147_483_648));
        for wrong in ["", "0", "-1", "1.5M", "M", "32 M", "99999999999G", "1é"] {
            assert!(size(wrong).is_err(), "{wrong}");
        }
    }
}
