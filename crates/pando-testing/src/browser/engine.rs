//! The engines of browsers, and their programs.

use crate::{
    program::built,
    tab::{Chromium, found},
};
use std::{
    fmt::{self, Debug, Display, Formatter},
    path::PathBuf,
};

/// The engine of a browser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BrowserEngine {
    /// A Chromium of this version, from an npm package.
    OldChromium(u32),
    /// The Chromium of the system.
    Chromium,
    /// The Firefox of the system.
    Firefox,
    /// WebKitGTK's MiniBrowser. Debian builds it without WebRTC.
    WebKit,
}

impl BrowserEngine {
    /// Whether the browser supports peer connections.
    pub fn has_webrtc(self) -> bool {
        self != Self::WebKit
    }

    /// The program to start, or an error that names the missing program.
    pub(crate) fn program(self) -> Result<PathBuf, String> {
        match self {
            Self::OldChromium(version) => {
                let file = downloaded().join(format!("{version}/chromium"));
                if file.is_file() {
                    Ok(file)
                } else {
                    Err(format!("there is no {}", file.display()))
                }
            }
            Self::Chromium => Chromium::found().map(|chromium| chromium.program().to_owned()),
            Self::Firefox => found(&["firefox-esr", "firefox"]),
            Self::WebKit => found(&["Xvfb"]).and_then(|_| found(&["WebKitWebDriver"])),
        }
    }
}

impl Display for BrowserEngine {
    fn fmt(&self, to: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::OldChromium(version) => write!(to, "Chromium {version}"),
            other => Debug::fmt(other, to),
        }
    }
}

/// The folder of the old Chromiums from `scripts/test`: `chromiums`, beside the folder of the
/// binary's profile.
fn downloaded() -> PathBuf {
    let binary = built("pando");
    binary.ancestors().nth(2).expect("the binary is in target/PROFILE/").join("chromiums")
}
