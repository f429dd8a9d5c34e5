//! Measures of Pando with the real program, many light volunteers and real browsers. Every output
//! is verified.
//!
//! [`swarm`] has the volunteers, [`measures`] the measures, [`bare`] the prototypes that they are
//! compared with, [`relay`] a load test of a relay, [`chaos`] a test with random faults; the other
//! modules are tools for these.

pub mod bare;
pub mod chaos;
pub mod delay;
pub mod devices;
pub mod echo;
pub mod far;
pub mod lines;
pub mod measures;
mod page;
pub mod plot;
pub mod program;
pub mod relay;
pub mod swarm;
pub mod system;
pub mod table;
