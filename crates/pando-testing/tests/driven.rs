//! A tab can be operated like a person would.

use pando_testing::DrivenTab;

const PAGE: &str = "data:text/html,<meta name=viewport content='width=device-width'>\
    <input id=field><button id=button>0</button><button id=hidden hidden>x</button>\
    <div style='position:relative'><button id=covered>x</button><div style='position:absolute;inset:0'></div></div>\
    <div style='height:3000px'></div><button id=far>0</button>\
    <script>let fingers = 0; addEventListener('touchstart', () => fingers%2B%2B);\
    for (const b of document.querySelectorAll('button')) b.onclick = () => b.textContent = 1 %2B Number(b.textContent)</script>";

#[test]
fn a_tab_is_read_clicked_tapped_and_typed_into() -> anyhow::Result<()> {
    let mut tab = DrivenTab::open(PAGE)?;
    tab.wait_for("document.readyState === 'complete'")?;
    tab.throttle(2.0)?;

    assert_eq!(
        tab.evaluate("Promise.resolve({ a: [1, 'ü'] })")?,
        serde_json::json!({"a": [1, "ü"]})
    );
    let error = tab.evaluate("nothing.there").expect_err("it throws").to_string();
    assert!(error.contains("nothing is not defined"), "{error}");

    tab.click("#button")?;
    tab.click("#far")?;
    tab.be_a_phone()?;
    tab.tap("#button")?;
    tab.wait_for("button.textContent === '2' && far.textContent === '1' && fingers === 1")?;
    for (selector, reason) in [
        ("#hidden", "cannot be reached"),
        ("#covered", "cannot be reached"),
        ("#none", "there is no #none"),
    ] {
        let error = tab.click(selector).expect_err("nobody could").to_string();
        assert!(error.contains(reason), "{error}");
    }

    tab.click("#field")?;
    for key in ["P", "a", "s", "Backspace", "Tab", "Enter"] {
        tab.press(key)?;
    }
    tab.wait_for("field.value === 'Pa' && button.textContent === '3'")?;
    tab.close()
}
