//! Measures of Pando: the real program, many light volunteers, real browsers, and every output verified.
//!
//! [`swarm`] is the volunteers, [`measures`] what is measured, [`relay`] a crowd at a relay, [`chaos`] what must go right when everything
//! goes wrong; the other modules are the instruments.

pub mod browser;
pub mod chaos;
pub mod delay;
pub mod devices;
pub mod devtools;
pub mod echo;
pub mod far;
pub mod lines;
pub mod measures;
pub mod program;
pub mod relay;
pub mod swarm;
pub mod system;
pub mod table;
