use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::thread;

use anyhow::Result;
use pando_testing::{DrivenTab, Finished};
use serde_json::{Value, json};

use crate::people::{join, start};
use crate::program::run;

const FEED: &str = env!("CARGO_BIN_EXE_arxiv-feed");
const RELEVANT: &str = env!("CARGO_BIN_EXE_arxiv-relevant");
const PAPERS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/arxiv/feed.xml");

fn feed(source: &str) -> Finished {
    run(FEED, &[source], b"")
}

/// The titles of the papers, found without an XML parser.
fn titles() -> Vec<String> {
    let feed = fs::read_to_string(PAPERS).expect("the feed is there");
    let entries = feed.split("<entry>").skip(1);
    let title =
        |entry: &str| entry.split("<title>").nth(1)?.split("</title>").next().map(str::to_owned);
    let plain = |title: String| title.replace("\n ", "").replace("&quot;", "\"");
    entries.map(|entry| plain(title(entry).expect("a title"))).collect()
}

/// The test's rule for relevant papers.
fn is_relevant(title: &str) -> bool {
    !title.contains("Sourdough") && !title.contains("Pools")
}

/// Waits until the page shows another paper than `last`. Returns the title.
fn read(tab: &mut DrivenTab, last: &str) -> Result<String> {
    let shown = "document.querySelector('.paper:not([hidden]) h2')";
    let title = tab.wait_for(&format!(
        "{shown} && {shown}.textContent !== {} && {shown}.textContent",
        json!(last)
    ))?;
    Ok(title.as_str().unwrap_or_default().to_owned())
}

fn button(title: &str) -> &'static str {
    if is_relevant(title) { ".paper .relevant" } else { ".paper .irrelevant" }
}

#[test]
fn people_tag_papers_and_a_closed_page_leaves_its_paper_to_others() -> Result<()> {
    let mut run = start(&["arxiv/tag.js", "--json"], feed(PAPERS).success());
    let (mut ann, mut bob) = (join(&mut run, "Ann"), join(&mut run, "Bob"));
    bob.be_a_phone()?;
    let anns = read(&mut ann, "")?;
    let bobs = read(&mut bob, "")?;
    assert_eq!([&anns, &bobs], [&titles()[0], &titles()[1]], "each has a paper of their own");

    // A letter typed into a field is no judgement.
    bob.click("#name")?;
    bob.press("r")?;
    assert_eq!(read(&mut bob, "")?, bobs);

    bob.tap(button(&bobs))?;
    let third = read(&mut bob, &bobs)?;
    assert_eq!(third, titles()[2]);
    ann.close()?;
    run.hears("Ann ")?;
    bob.tap(button(&third))?;
    let mut title = read(&mut bob, &third)?;
    assert_eq!(title, anns, "what Ann had not judged comes first");

    bob.press(if is_relevant(&title) { "r" } else { "n" })?;
    let first: Value = serde_json::from_str(&run.line().expect("a result"))?;
    assert_eq!((&first["title"], &first["relevant"]), (&json!(title), &json!(true)));
    for _ in 3..titles().len() {
        title = read(&mut bob, &title)?;
        bob.click(button(&title))?;
    }
    let rest = run.succeed()?.stdout;
    let tagged = [serde_json::to_vec(&first)?, b"\n".to_vec(), rest].concat();
    let expected: Vec<String> = titles().into_iter().filter(|title| is_relevant(title)).collect();
    let listed = crate::program::run(RELEVANT, &[], &tagged);
    assert_eq!(listed.stderr, "4 of 6 papers are relevant\n");
    let listed: Vec<String> = listed.lines().into_iter().step_by(3).collect();
    assert_eq!(listed, expected, "in the order of the feed");
    Ok(())
}

#[test]
fn a_long_paper_is_judged_on_a_phone_and_what_it_says_is_text() -> Result<()> {
    let nasty = "<img src=x onerror='hacked = 1'><b>bold</b>";
    let paper = json!({
        "id": "1", "title": nasty, "authors": [nasty, "O'Neil & Sons"], "link": "javascript:hacked=1",
        "abstract": format!("{nasty} {}", "A longwordwithoutspaces".repeat(20) + &" and so on".repeat(500)),
    });
    let mut run = start(&["arxiv/tag.js", "--json"], format!("{paper}\n").into_bytes());
    let mut tab = join(&mut run, "Phone");
    tab.be_a_phone()?;
    assert_eq!(read(&mut tab, "")?, nasty);
    assert_eq!(
        tab.evaluate("document.querySelectorAll('#visualization :is(img, b, script)').length")?,
        0
    );
    assert_eq!(tab.evaluate("document.querySelector('.paper a').hidden")?, true);
    assert_eq!(
        tab.evaluate("document.activeElement.textContent")?,
        nasty,
        "read out by those who listen"
    );
    let layout = tab.evaluate(
        "[...document.querySelectorAll('.paper button')].map(button => button.getBoundingClientRect())
          .every(box => box.top > 0 && box.bottom <= innerHeight && box.height >= 44)
          && document.documentElement.scrollWidth <= innerWidth && document.documentElement.scrollHeight > 2 * innerHeight",
    )?;
    assert_eq!(layout, true, "the buttons are at hand, however long the paper");
    tab.tap("#leave")?;
    tab.wait_for(
        "document.querySelector('.paper').hidden && !document.querySelector('#again').hidden",
    )?;
    tab.tap("#again")?;
    assert_eq!(read(&mut tab, "")?, nasty);
    tab.tap(".paper .irrelevant")?;
    assert_eq!(tab.evaluate("typeof hacked")?, "undefined");
    let tagged: Value = serde_json::from_slice(&run.succeed()?.stdout)?;
    assert_eq!((&tagged["title"], &tagged["relevant"]), (&json!(nasty), &json!(false)));
    Ok(())
}

#[test]
fn papers_of_a_feed_become_lines() {
    let lines = feed(PAPERS).lines();
    let papers: Vec<Value> =
        lines.iter().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let found: Vec<&str> =
        papers.iter().map(|paper| paper["title"].as_str().expect("a title")).collect();
    assert_eq!(found, titles());
    assert_eq!(
        papers[5],
        json!({
            "id": "0000.00006v1",
            "title": "On the Acoustics of Empty Swimming Pools",
            "authors": ["Inês Maple"],
            "abstract": "We measure the reverberation of 31 empty swimming pools and compare it with that of a cathedral. The pools win.",
            "link": "http://arxiv.org/abs/0000.00006v1",
        })
    );
}

/// Serves one answer at a URL.
fn serve(status: &str, body: String) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    let answer = format!(
        "HTTP/1.1 {status}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    thread::spawn(move || {
        let (mut stream, _) = listener.accept()?;
        let mut request = [0; 4096];
        let _ = stream.read(&mut request)?;
        stream.write_all(answer.as_bytes())
    });
    format!("http://{address}/api/query?search_query=all:kitchen")
}

#[test]
fn a_feed_is_fetched() {
    let url = serve("200 OK", fs::read_to_string(PAPERS).expect("the feed is there"));
    assert_eq!(feed(&url).lines(), feed(PAPERS).lines());
}

#[test]
fn what_is_no_feed_is_told() {
    let error = "<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>http://arxiv.org/api/errors#incorrect</id>\
        <title>Error</title><summary>incorrect id format for 1234</summary></entry></feed>";
    let untitled = error.replace("api/errors", "abs/").replace("title>", "subtitle>");
    let cases = [
        (
            serve("400 Bad Request", error.to_owned()),
            "arXiv answers with an error: incorrect id format for 1234",
        ),
        (
            serve("200 OK", error.to_owned()),
            "entry 1: arXiv answers with an error: incorrect id format for 1234",
        ),
        (serve("200 OK", untitled), "entry 1: it has no <title>"),
        (
            serve("503 Service Unavailable", "try later".to_owned()),
            "the server answers 503 Service Unavailable",
        ),
        (
            serve("200 OK", "<html></html>".to_owned()),
            "it is not an Atom feed: it begins with <html>",
        ),
        (serve("200 OK", "try later".to_owned()), "it is not XML"),
        // The server does not support TLS, but the client tries it.
        (serve("200 OK", String::new()).replace("http:", "https:"), "it cannot be fetched"),
        ("no/such/file".to_owned(), "it is neither a URL nor a file that can be read"),
    ];
    for (source, expected) in cases {
        let Finished { status, stdout, stderr } = feed(&source);
        assert_eq!((status, stdout.len()), (Some(1), 0), "{stderr}");
        assert!(stderr.starts_with(&format!("arxiv-feed: {source}: {expected}")), "{stderr}");
    }
}

#[test]
fn what_is_no_tagged_paper_is_told() {
    let tagged = br#"{"title":"A","authors":["B","C"],"link":"D","relevant":true}"#;
    assert_eq!(run(RELEVANT, &[], tagged).lines(), ["A", "  B, C", "  D"]);
    for (line, expected) in [("x", "expected a tagged paper"), ("{}", "the paper has no tag")] {
        let output = run(RELEVANT, &[], line.as_bytes());
        assert_eq!(output.status, Some(1));
        assert!(
            output.stderr.starts_with(&format!("arxiv-relevant: line 1: {expected}")),
            "{}",
            output.stderr
        );
    }
}
