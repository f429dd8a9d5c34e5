//! All that the machines of Pando say to one another. Each dialect has one module, with both
//! directions in it.
//!
//! | module | dialect | carried by |
//! |---|---|---|
//! | [`volunteer`] | volunteer ⇄ master: values, results, and all around them | any channel |
//! | [`signalling`] | volunteer ⇄ master before they have a peer connection | a WebSocket of JSON texts |
//! | [`relay`] | master ⇄ relay: rooms, and the signalling of their volunteers | a WebSocket, the *control* socket |
//! | [`page`] | server → page: the settings of the run | the page itself |
//! | [`core`] | host ⇄ core within one volunteer | a socket pair, or messages of workers |
//!
//! The crate encodes, decodes and validates messages; it neither sends nor waits. The TypeScript
//! mirror is `web/src/frames.ts` and `web/src/messages.ts`. Both sides decode the messages of
//! `fixtures/`.

pub mod core;
pub mod ice;
pub mod page;
pub mod relay;
pub mod signalling;
pub mod volunteer;
