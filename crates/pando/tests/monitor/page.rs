//! The page in a real browser, with a real run.

use crate::{answer, idle, monitor, values};
use pando_testing::{DrivenTab, WebSocket};

#[test]
fn the_page_shows_the_run_and_takes_no_name_for_an_element() {
    let run = idle(2).args(["--batch-size", "2"]).start();
    let (url, volunteers) = (monitor(&run), run.url());
    let mut tab = DrivenTab::open(&url).expect("a browser");
    let shows = |tab: &mut DrivenTab, text: &str| {
        let text = serde_json::json!(text);
        tab.wait_for(&format!("document.body && document.body.innerText.includes({text})"))
            .expect("it is shown");
    };
    shows(&mut tab, "no device has joined");
    let name = "<img src=x onerror=document.title=1>";
    let mut ann = WebSocket::join(&volunteers, name, 1);
    let given = values(&mut ann);
    shows(&mut tab, name);
    let images = "document.querySelectorAll('img[src=x]').length";
    assert_eq!(tab.evaluate(images).unwrap(), 0);
    assert_ne!(tab.evaluate("document.title").unwrap(), "1");
    for (loan, value) in given {
        answer(&mut ann, loan, std::str::from_utf8(&value).unwrap());
    }
    shows(&mut tab, "All items are done.");
    run.wait().gives("1\n2\n");
}
