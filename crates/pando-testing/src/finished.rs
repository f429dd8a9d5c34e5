//! A program that has ended.

/// The outputs and the exit status of a program that has ended.
#[derive(Debug)]
pub struct Finished {
    /// The exit status; `None` after a signal.
    pub status: Option<i32>,
    /// Standard output.
    pub stdout: Vec<u8>,
    /// Standard error, as text.
    pub stderr: String,
}

impl Finished {
    /// Standard output of a program that must have succeeded.
    #[track_caller]
    pub fn success(self) -> Vec<u8> {
        self.status(0);
        self.stdout
    }

    /// The lines of standard output of a program that must have succeeded.
    #[track_caller]
    pub fn lines(&self) -> Vec<String> {
        self.status(0).text().lines().map(str::to_owned).collect()
    }

    /// Standard output as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.stdout).into_owned()
    }

    /// Asserts that the output is exactly `expected` and the status is 0.
    #[track_caller]
    pub fn gives(&self, expected: impl AsRef<[u8]>) -> &Self {
        self.ends(0, expected)
    }

    /// Asserts that the output is exactly `expected` and the status is `status`.
    #[track_caller]
    pub fn ends(&self, status: i32, expected: impl AsRef<[u8]>) -> &Self {
        let expected = expected.as_ref();
        if self.status != Some(status) || self.stdout != expected {
            self.fail(&format!(
                "expected status {status} and this output:\n{}",
                excerpt(&String::from_utf8_lossy(expected))
            ));
        }
        self
    }

    /// Asserts the exit status.
    #[track_caller]
    pub fn status(&self, status: i32) -> &Self {
        if self.status != Some(status) {
            self.fail(&format!("expected status {status}"));
        }
        self
    }

    /// Asserts that standard error contains each of `texts`.
    #[track_caller]
    pub fn said(&self, texts: &[&str]) -> &Self {
        if let Some(text) = texts.iter().find(|text| !self.stderr.contains(**text)) {
            self.fail(&format!("it did not say {text:?}"));
        }
        self
    }

    /// Asserts that standard error contains none of `texts`.
    #[track_caller]
    pub fn did_not_say(&self, texts: &[&str]) -> &Self {
        if let Some(text) = texts.iter().find(|text| self.stderr.contains(**text)) {
            self.fail(&format!("it said {text:?}"));
        }
        self
    }

    /// Fails the test, and shows everything known about the process.
    #[track_caller]
    pub fn fail(&self, why: &str) -> ! {
        panic!(
            "{why}\n--- status: {:?}\n--- standard output ({} bytes):\n{}\n--- standard error:\n{}",
            self.status,
            self.stdout.len(),
            excerpt(&self.text()),
            excerpt(&self.stderr)
        );
    }
}

/// The start and the end of a long text.
pub(crate) fn excerpt(text: &str) -> String {
    const MOST: usize = 2000;
    let count = text.chars().count();
    if count <= 2 * MOST {
        return text.to_owned();
    }
    let start: String = text.chars().take(MOST).collect();
    let end: String = text.chars().skip(count - MOST).collect();
    format!("{start}\n[… {} characters …]\n{end}", count - 2 * MOST)
}
