//! `--report FILE`: a page about the run, in one file.

use super::{
    OpenRun,
    last_files::{self, RunEnd},
    monitoring,
    summary::SummaryFile,
};
use crate::{config::Report, embedded};

/// The text of the page in whose place its data go.
const MARK: &str = "\"the data of the run\"";

/// Writes the report of a run, if there is one.
///
/// # Errors
/// When the file cannot be written, in words.
pub(super) fn write(report: &Report, open: &OpenRun, end: RunEnd) -> Result<(), String> {
    let text = || {
        let words = monitoring::words(end.ending);
        let data = open.report(end.last, &words, &SummaryFile::of(end)).unwrap_or_default();
        page(embedded::web("report.html").unwrap_or_default(), &data)
    };
    last_files::write_file("--report", report.report_file.as_deref(), text)
}

/// The page with its data, which are JSON.
fn page(template: &str, data: &str) -> String {
    // No text in the data can end the element around them, or begin a comment.
    template.replacen(MARK, &data.replace('<', "\\u003c"), 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_ends_the_element_of_the_data() {
        let template = format!("<script>{MARK}</script>");
        let page = page(&template, r#"["</script><!--<b>"]"#);
        assert_eq!(page, r#"<script>["\u003c/script>\u003c!--\u003cb>"]</script>"#);
    }

    #[test]
    fn the_page_has_one_place_for_data() {
        let template = embedded::web("report.html").unwrap();
        assert_eq!(template.matches(MARK).count(), 1);
        // Nothing is loaded from elsewhere.
        assert!(!template.contains("src=\"") && !template.contains("<link rel=\"stylesheet\""));
    }
}
