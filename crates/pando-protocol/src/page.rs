//! The settings of a run for the page of volunteers. Master and relay pass the settings on
//! unread, so a new setting only concerns the configuration and the page.

use serde::{Deserialize, Serialize};

/// The settings; `web/src/volunteer.ts` reads them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PageOptions {
    /// Hash of the function's bundle.
    pub function: String,
    /// Whether the function runs in the page.
    #[serde(default)]
    pub dom: bool,
    /// Whether the function may reach only the server of the page.
    #[serde(default, rename = "denyNet")]
    pub deny_net: bool,
    /// Whether the run has assets, which the page fetches for its cores.
    #[serde(default, skip_serializing_if = "is_false")]
    pub assets: bool,
    /// What the run computes, for people; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub title: String,
    /// The person or group for whom the run computes; may be empty.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub from: String,
    /// The address of the page at the run's relay, for the page that the run serves itself: over
    /// https, a page can do more than over http. May be empty.
    #[serde(default, skip_serializing_if = "String::is_empty", rename = "relayUrl")]
    pub relay_url: String,
    /// The ids of the gateways between the run and this server, so that none joins itself.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gateways: Vec<String>,
}

/// The name, below the address of the page, under which native volunteers find the settings.
pub const SETTINGS: &str = "job.json";

/// The settings together with facts about the server, in the form for the page.
#[derive(Serialize)]
struct PageConfig<'a> {
    #[serde(flatten)]
    options: &'a PageOptions,
    version: &'a str,
    relay: bool,
}

/// The settings together with facts about the server, as a native volunteer reads them.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct PageSettings {
    /// The settings.
    #[serde(flatten)]
    pub options: PageOptions,
    /// The version of Pando on the server.
    pub version: String,
    /// Whether the server is a relay.
    pub relay: bool,
}

impl PageOptions {
    /// The settings as JSON, which [`PageSettings`] reads. For the arguments, see
    /// [`fill`](Self::fill).
    pub fn json(&self, version: &str, relay: bool) -> String {
        let config = PageConfig { options: self, version, relay };
        serde_json::to_string(&config).expect("plain data")
    }

    /// The page `html` with these settings filled in. `version`: the server's version; `relay`:
    /// whether the server is a relay.
    pub fn fill(&self, html: &str, version: &str, relay: bool) -> String {
        let json = self.json(version, relay);
        // No text in the settings can end the script element around the settings.
        let html = html.replace("__PANDO_CONFIG__", &json.replace('<', "\\u003c"));
        if !self.assets {
            return html;
        }
        html.replace(PAGE_SCRIPT, &format!("{ASSETS_SCRIPT}{PAGE_SCRIPT}"))
    }
}

/// The element with the script of the page.
const PAGE_SCRIPT: &str = "<script src=\"page.js\">";
/// The element with the script that fetches assets, which a run with assets has before it.
const ASSETS_SCRIPT: &str = "<script src=\"assets.js\"></script>";

pub(crate) fn is_false(is_set: &bool) -> bool {
    !is_set
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_page_of_a_run_with_assets_has_their_script_first() {
        let page = r#"<script src="page.js"></script>"#;
        let options = PageOptions { assets: true, ..PageOptions::default() };
        let scripts = r#"<script src="assets.js"></script><script src="page.js"></script>"#;
        assert_eq!(options.fill(page, "0.1.0", false), scripts);
        assert_eq!(PageOptions::default().fill(page, "0.1.0", false), page);
    }

    #[test]
    fn a_native_volunteer_reads_the_settings_of_the_page() {
        let options = PageOptions { title: "t".into(), assets: true, ..PageOptions::default() };
        let read: PageSettings = serde_json::from_str(&options.json("0.1.0", true)).unwrap();
        assert_eq!(read, PageSettings { options, version: "0.1.0".into(), relay: true });
    }

    #[test]
    fn a_page_has_its_settings_and_nothing_ends_their_element() {
        let options =
            PageOptions { function: "</script>".into(), dom: true, ..PageOptions::default() };
        assert_eq!(
            options.fill("<script>__PANDO_CONFIG__</script>", "0.1.0", false),
            r#"<script>{"function":"\u003c/script>","dom":true,"denyNet":false,"version":"0.1.0","relay":false}</script>"#
        );
        let options =
            PageOptions { title: "<b>".into(), from: "Ann & Bob".into(), ..PageOptions::default() };
        assert_eq!(
            options.fill("__PANDO_CONFIG__", "0.1.0", true),
            r#"{"function":"","dom":false,"denyNet":false,"title":"\u003cb>","from":"Ann & Bob","version":"0.1.0","relay":true}"#
        );
    }
}
