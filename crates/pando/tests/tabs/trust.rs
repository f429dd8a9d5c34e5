//! `--copies` and `--verify` with tabs: people as judges, and a tab that computes otherwise.

use pando_testing::{DrivenTab, PandoCommand, Tab, numbers};
use std::collections::BTreeSet;

/// A page with the value and two buttons for a person. A page counts how often it was asked.
const JUDGE: &str = "export default x => new Promise(resolve => {
  globalThis.asked = (globalThis.asked || []).concat(x)
  const box = document.body.appendChild(document.createElement('p'))
  box.id = 'question'
  box.textContent = x
  for (const answer of ['cat', 'dog']) {
    const button = box.appendChild(document.createElement('button'))
    button.className = answer
    button.textContent = answer
    button.onclick = () => { box.remove(); resolve(answer) }
  }
})";

/// Answers the question about `photo` on a page.
fn judge(tab: &mut DrivenTab, photo: &str, answer: &str) {
    let shown = format!("document.querySelector('#question')?.textContent.startsWith('{photo}')");
    tab.wait_for(&shown).expect("the photo is shown");
    let click = format!("document.querySelector('#question .{answer}').click()");
    tab.evaluate(&click).expect("a person clicks");
}

#[test]
fn three_people_judge_each_photo_once() {
    let photos = ["a.jpg", "b.jpg", "c.jpg"];
    let mut run = PandoCommand::new(JUDGE)
        .args(["--dom", "--copies", "3"])
        .stdin("a.jpg\nb.jpg\nc.jpg\n")
        .start();
    let open = |name: &str| DrivenTab::open(&format!("{}#device={name};", run.url()));
    let mut ann = open("Ann").expect("Chromium opens the page");
    let mut bob = open("Bob").expect("Chromium opens the page");
    for photo in photos {
        judge(&mut ann, photo, "cat");
    }
    judge(&mut bob, "a.jpg", "dog");
    // A page that is loaded again is the same judge.
    ann.evaluate("void setTimeout(() => location.reload())").expect("the page is loaded again");
    run.says("Ann joined with 1 core, after its page was reloaded");
    for photo in &photos[1..] {
        judge(&mut bob, photo, "dog");
    }
    run.says("item 1 waits for 1 more device that can compute it: by --copies 3");
    let shown = ann.evaluate("document.querySelectorAll('#question').length");
    assert_eq!(shown.expect("the page answers"), 0);
    let mut cid = DrivenTab::open(&format!("{}#device=Cid;", run.url())).expect("it opens");
    for photo in photos {
        judge(&mut cid, photo, "cat");
        let answers: Vec<serde_json::Value> =
            serde_json::from_str(&run.line().expect("a line")).expect("a JSON array");
        let by = |name: &str| {
            let of = answers.iter().find(|answer| answer["device"] == name);
            of.map(|answer| answer["result"].clone())
        };
        assert_eq!(
            [by("Ann"), by("Bob"), by("Cid")],
            ["cat", "dog", "cat"].map(|x| Some(x.into()))
        );
    }
    run.wait().status(0);
}

#[test]
fn a_tab_that_computes_otherwise_than_two_others_is_told_and_changes_nothing() {
    // A browser that says that it is version 71 adds one.
    let agent = [
        "--user-agent=Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/71.0.3578.80 Safari/537.36",
    ];
    let f = "const wrong = /Chrome.71/.test(navigator.userAgent)
      export default x => String(Number(x) + (wrong ? 1 : 0))";
    let mut run = PandoCommand::new(f).args(["--cores", "0", "--verify", "2"]).stdin_open().start();
    let names = ["Ann", "Bob", "Eve"];
    let _tabs = names.map(|name| {
        let options: &[&str] = if name == "Eve" { &agent } else { &[] };
        Tab::open_with(options, &run.url(), &format!("device={name};cores=1;"))
    });
    let joined: BTreeSet<String> =
        names.iter().map(|name| run.says(&format!("{name} joined with 1 core"))).collect();
    assert_eq!(joined.len(), 3);
    run.write(numbers(300));
    run.close_stdin();
    run.wait().gives(numbers(300)).said(&["Eve is not trusted any more: its result of item "]);
}
