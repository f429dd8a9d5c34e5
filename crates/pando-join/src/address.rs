//! The address of a run.

use url::{Host, Url};

/// The address of a volunteer page; it ends with `/`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address(Url);

impl Address {
    /// Understands an address as a run prints it, also as a browser shows it.
    ///
    /// # Errors
    /// When it is no such address, in words.
    pub fn parse(text: &str) -> Result<Self, String> {
        const REMEDY: &str =
            "give the address that the run prints, such as http://192.168.1.12:5000/k7d2m9qx4t/";
        let mut url = Url::parse(text.trim()).map_err(|error| format!("{error}: {REMEDY}"))?;
        if !matches!(url.scheme(), "http" | "https") || !url.has_host() {
            return Err(REMEDY.into());
        }
        url.set_query(None);
        url.set_fragment(None);
        let _ = (url.set_username(""), url.set_password(None));
        if !url.path().ends_with('/') {
            url.set_path(&format!("{}/", url.path()));
        }
        Ok(Self(url))
    }

    /// The address as a URL.
    pub fn url(&self) -> &Url {
        &self.0
    }

    /// Whether the address leads to the machine itself.
    pub(crate) fn is_loopback(&self) -> bool {
        match self.0.host() {
            Some(Host::Ipv4(ip)) => ip.is_loopback(),
            Some(Host::Ipv6(ip)) => ip.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
    }

    /// The join token: the last folder of the path; empty for open access.
    pub(crate) fn token(&self) -> &str {
        self.0.path().trim_end_matches('/').rsplit('/').next().unwrap_or_default()
    }
}

impl std::fmt::Display for Address {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.fmt(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_may_be_copied_from_a_browser() {
        let of = |text: &str| Address::parse(text).map(|address| address.to_string());
        let plain = "http://10.0.0.1:5000/k7d2m9qx4t/";
        for text in [plain, " http://10.0.0.1:5000/k7d2m9qx4t", &format!("{plain}?x#cores=2")] {
            assert_eq!(of(text).unwrap(), plain);
        }
        for wrong in ["", "k7d2m9qx4t", "10.0.0.1:5000/k7d2m9qx4t/", "ftp://a/b/", "data:,a"] {
            assert!(of(wrong).unwrap_err().contains("the run prints"), "{wrong}");
        }
    }

    #[test]
    fn a_machine_s_own_addresses_are_known() {
        let own = |text| Address::parse(text).unwrap().is_loopback();
        assert!(
            own("http://127.0.0.1:5000/a/") && own("http://[::1]/a/") && own("http://localhost/")
        );
        assert!(!own("http://10.0.0.1:5000/a/") && !own("https://relay.org/a/"));
    }

    #[test]
    fn the_token_is_the_last_folder() {
        let token = |text| Address::parse(text).unwrap().token().to_owned();
        assert_eq!(token("https://relay.org/below/k7d2m9qx4t/"), "k7d2m9qx4t");
        assert_eq!(token("http://10.0.0.1:5000/"), "");
    }
}
