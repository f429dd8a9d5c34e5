//! `pando join URL`: lends the cores of this machine to a run, without a browser.
//!
//! The volunteer has the address of a volunteer page. Below it, the master or the relay serves the
//! settings of the run (`job.json`), the function, the assets, and the WebSockets by which the
//! volunteer connects (`dial`), directly or through the relay. Then it speaks like a tab.
//! [`Host`](pando_volunteer::Host) is the volunteer without I/O; around it are the `link` to the
//! master, the cores of an engine, the `requests` of the machine's owner to leave, and messages for
//! people (`news`). With `--share`, a [`Share`] takes the place of the cores.

mod address;
mod assets;
mod dial;
mod engine;
mod link;
mod news;
mod options;
#[cfg_attr(not(feature = "peers"), path = "no_peer.rs")]
mod peer;
mod requests;
mod run;
mod settings;
mod share;
mod socket;
mod volunteer;
mod work;

pub use assets::{RemoteAsset, RemoteAssets};
pub use options::JoinOptions;
pub use run::{run, share};
pub use share::{Closing, OwnCores, Pending, Share, Shared, SharedJob};
