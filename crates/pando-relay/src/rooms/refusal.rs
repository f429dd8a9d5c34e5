//! Why a master gets no room, and why a volunteer may not enter.

/// Why a master gets no room. The text is for the master's user.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum RoomRefusal {
    #[error(
        "the token is not one for a relay: give 4 to 64 letters, digits, `-` or `_`, and neither `rooms` nor `healthz`"
    )]
    Token,
    #[error("the room's key is not 16 to 128 letters and digits")]
    Key,
    #[error(
        "taken: another run has a room with this token; choose another token, or wait a minute if that run has ended"
    )]
    Taken,
    #[error(
        "the function with its packages is {size} bytes long, and this relay takes {most}: ask its operator for a larger --max-function"
    )]
    TooLarge { size: u64, most: u64 },
    #[error(
        "this relay has as many rooms as it carries: try again later, or ask its operator for a larger --max-rooms"
    )]
    TooManyRooms,
    #[error(
        "this relay has no memory left for the function: try again later, or ask its operator for a larger --max-memory"
    )]
    NoMemory,
}

/// Why a volunteer cannot enter now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum NoEntry {
    /// There is no such room.
    Unknown,
    /// The master of the room is away.
    NoMaster,
    /// The room is full.
    Full,
}

/// Why a master gets no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Unclaimed {
    /// The room has another key.
    WrongKey,
    /// There is no such room or link, or the volunteer no longer waits.
    Unknown,
}
