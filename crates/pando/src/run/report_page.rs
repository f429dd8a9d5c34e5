//! `--report FILE`: a page about the run, in one file.

use super::{OpenRun, last_files, monitoring, summary::SummaryFile};
use crate::{
    config::Report,
    console::Console,
    embedded,
    master::{Ending, LastFigures},
};

/// The text of the page in whose place its data go.
const MARK: &str = "\"the data of the run\"";

/// Writes the report of a run that had this `ending` and exit status, and returns the exit status.
/// `final_status` includes the failure to write other files.
pub(super) fn write(
    report: &Report,
    open: &OpenRun,
    (last, ending): (&LastFigures, &Ending),
    (status, final_status): (i32, i32),
    console: &Console,
) -> i32 {
    let text = || {
        let summary = SummaryFile { status, summary: &last.summary };
        let data = open.report(last, &monitoring::words(ending), &summary).unwrap_or_default();
        page(embedded::web("report.html").unwrap_or_default(), &data)
    };
    last_files::write("--report", report.report_file.as_deref(), text, final_status, console)
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
