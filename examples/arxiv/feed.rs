//! Converts an Atom feed in the format of arXiv to lines of JSON.

use std::fs;
use std::io::{self, Write};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow, bail};
use clap::Parser;
use roxmltree::{Document, Node};
use serde_json::{Value, json};
use ureq::Agent;

const ATOM: &str = "http://www.w3.org/2005/Atom";
/// The part of an entry's address by which arXiv marks an error.
const ERRORS: &str = "/api/errors";
const PATIENCE: Duration = Duration::from_secs(60);
/// The limit for a feed. Two thousand papers, the most in one answer of arXiv, are about 5 MB.
const LARGEST: u64 = 100 << 20;

/// Print each paper of an Atom feed as a line of JSON: id, title, authors, abstract, link.
#[derive(Parser)]
#[command(name = "arxiv-feed", version)]
struct Options {
    /// URL of a feed, such as
    /// 'https://export.arxiv.org/api/query?search_query=cat:cs.DC&max_results=20', or a file
    feed: String,
}

fn main() -> ExitCode {
    let Options { feed } = Options::parse();
    pando_examples::run("arxiv-feed", || {
        read(&feed).and_then(|text| print(&text)).with_context(|| feed.clone())
    })
}

fn read(feed: &str) -> anyhow::Result<String> {
    if feed.starts_with("http://") || feed.starts_with("https://") {
        return fetch(feed);
    }
    fs::read_to_string(feed).context("it is neither a URL nor a file that can be read")
}

fn fetch(url: &str) -> anyhow::Result<String> {
    // Without this call the HTTP client would look for a provider that is not built in. A second
    // call has no effect.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let agent: Agent = Agent::config_builder()
        .timeout_global(Some(PATIENCE))
        .http_status_as_error(false)
        .user_agent(concat!("pando-example/", env!("CARGO_PKG_VERSION")))
        .build()
        .into();
    let mut answer = agent.get(url).call().context("it cannot be fetched")?;
    let text = answer.body_mut().with_config().limit(LARGEST).read_to_string();
    let status = answer.status();
    if !status.is_success() {
        // Errors of arXiv are feeds, too.
        text.ok().map_or(Ok(()), |text| refuse_errors(&text))?;
        bail!("the server answers {status}");
    }
    text.context("it cannot be fetched")
}

fn print(feed: &str) -> anyhow::Result<()> {
    let document = parse(feed)?;
    let mut out = io::stdout().lock();
    for (index, entry) in entries(&document).enumerate() {
        let paper = paper(entry).with_context(|| format!("entry {}", index + 1))?;
        writeln!(out, "{paper}")?;
    }
    Ok(())
}

fn refuse_errors(feed: &str) -> anyhow::Result<()> {
    let Ok(document) = parse(feed) else { return Ok(()) };
    entries(&document).try_for_each(|entry| paper(entry).map(drop))
}

fn parse(feed: &str) -> anyhow::Result<Document<'_>> {
    // The XML parser does not accept a byte-order mark.
    let document = Document::parse(feed.trim_start_matches('\u{feff}')).context("it is not XML")?;
    if !document.root_element().has_tag_name((ATOM, "feed")) {
        bail!(
            "it is not an Atom feed: it begins with <{}>",
            document.root_element().tag_name().name()
        );
    }
    Ok(document)
}

fn entries<'a>(document: &'a Document<'_>) -> impl Iterator<Item = Node<'a, 'a>> {
    document.root_element().children().filter(|node| node.has_tag_name((ATOM, "entry")))
}

fn paper(entry: Node<'_, '_>) -> anyhow::Result<Value> {
    let address = text(entry, "id")?;
    let summary = text(entry, "summary")?;
    if address.contains(ERRORS) {
        return Err(anyhow!("arXiv answers with an error: {summary}"));
    }
    let authors: Vec<String> =
        children(entry, "author").filter_map(|author| text(author, "name").ok()).collect();
    Ok(json!({
        "id": address.rsplit_once("/abs/").map_or(address.as_str(), |(_, id)| id),
        "title": text(entry, "title")?,
        "authors": authors,
        "abstract": summary,
        "link": link(entry).unwrap_or(&address),
    }))
}

/// The link for people: a link without a relation, or with the relation `alternate`.
fn link<'a>(entry: Node<'a, '_>) -> Option<&'a str> {
    let mut links = children(entry, "link");
    links.find(|link| link.attribute("rel").is_none_or(|rel| rel == "alternate"))?.attribute("href")
}

fn children<'a, 'input>(
    node: Node<'a, 'input>,
    name: &'static str,
) -> impl Iterator<Item = Node<'a, 'input>> {
    node.children().filter(move |child| child.has_tag_name((ATOM, name)))
}

/// The text of the first child with this name, on one line, because feeds break lines anywhere.
fn text(node: Node<'_, '_>, name: &'static str) -> anyhow::Result<String> {
    let child = children(node, name).next().with_context(|| format!("it has no <{name}>"))?;
    let text: String = child
        .descendants()
        .filter_map(|node| node.is_text().then(|| node.text()).flatten())
        .collect();
    Ok(text.split_whitespace().collect::<Vec<_>>().join(" "))
}
