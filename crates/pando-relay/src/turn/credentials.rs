//! Time-limited TURN credentials: the user name says until when, and for which room; the password
//! proves that the relay said so.

use aws_lc_rs::hmac;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Makes and checks credentials. Its key is as old as the process: those of an earlier one are
/// void.
#[derive(Clone)]
pub(crate) struct Credentials {
    key: hmac::Key,
    lifetime: Duration,
}

/// What a volunteer shows to the TURN server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Credential {
    /// `EXPIRY:ROOM`: seconds since 1970, and the room's public id.
    pub(crate) username: String,
    /// Proves the user name.
    pub(crate) password: String,
}

/// What a user name says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Claim<'a> {
    /// The room's public id.
    pub(crate) room: &'a str,
    /// Its time has come.
    pub(crate) is_expired: bool,
}

impl Credentials {
    /// With a fresh key.
    pub(crate) fn new(lifetime: Duration) -> Self {
        let mut key = [0; 32];
        getrandom::fill(&mut key).expect("the system gives random bytes");
        Self { key: hmac::Key::new(hmac::HMAC_SHA256, &key), lifetime }
    }

    /// For a volunteer or the master of `room`.
    pub(crate) fn grant(&self, room: &str, now: SystemTime) -> Credential {
        let username = format!("{}:{room}", seconds(now + self.lifetime));
        Credential { password: self.password(&username), username }
    }

    /// The password that belongs to a user name, if it is one of ours.
    pub(crate) fn password(&self, username: &str) -> String {
        let tag = hmac::sign(&self.key, username.as_bytes());
        tag.as_ref().iter().map(|byte| format!("{byte:02x}")).collect()
    }
}

/// What `username` says; none when it does not read like one of ours.
pub(crate) fn claim(username: &str, now: SystemTime) -> Option<Claim<'_>> {
    let (expiry, room) = username.split_once(':')?;
    let expiry: u64 = expiry.parse().ok()?;
    Some(Claim { room, is_expired: expiry <= seconds(now) })
}

fn seconds(time: SystemTime) -> u64 {
    time.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs()
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Duration = Duration::from_secs(3600);

    #[test]
    fn they_differ_from_room_to_room_and_end() {
        let (credentials, now) = (Credentials::new(HOUR), SystemTime::now());
        let (one, two) = (credentials.grant("one", now), credentials.grant("two", now));
        assert_ne!(one.password, two.password);
        assert_eq!(one.password, credentials.password(&one.username));
        assert_eq!(claim(&one.username, now), Some(Claim { room: "one", is_expired: false }));
        assert_eq!(claim(&one.username, now + HOUR), Some(Claim { room: "one", is_expired: true }));
        assert_ne!(
            one.password,
            Credentials::new(HOUR).password(&one.username),
            "another relay's are not ours"
        );
    }

    #[test]
    fn other_names_say_nothing() {
        let now = SystemTime::now();
        for name in ["", "one", ":one", "soon:one", "-1:one", "99999999999999999999:one"] {
            assert_eq!(claim(name, now), None, "{name}");
        }
    }
}
