//! The recipes of the cookbook do what they say.

use pando_testing::{DrivenTab, RunningProgram, Streams, built, make_neutral};
use std::{
    collections::HashMap,
    env, fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpListener,
    path::PathBuf,
    process::Command,
    thread,
};
use tempfile::TempDir;

const COOKBOOK: &str = include_str!("../../../../docs/cookbook.md");
/// Programs of recipes that a machine may lack.
const TOOLS: [&str; 4] = ["ffmpeg", "Rscript", "python3", "make"];

/// A block of a recipe between fences.
struct Block {
    /// The words after the opening fence.
    kind: String,
    /// The name of the file, if the line before the block has one.
    file: Option<String>,
    text: String,
}

/// The files of a recipe in a folder of their own, and its commands, each with the text that it
/// prints, if the recipe shows the text.
struct Recipe {
    folder: TempDir,
    commands: Vec<(String, Option<String>)>,
    /// Whether other devices may join, by any free port.
    is_open: bool,
}

fn blocks(recipe: &str) -> Vec<Block> {
    let mut blocks = Vec::new();
    let mut before = "";
    let mut lines = recipe.lines();
    while let Some(line) = lines.next() {
        if let Some(kind) = line.strip_prefix("```") {
            let text = lines.by_ref().take_while(|line| *line != "```");
            let text = text.map(|line| format!("{line}\n")).collect();
            let file = before.strip_prefix('`').and_then(|name| name.strip_suffix("`:"));
            blocks.push(Block { kind: kind.into(), file: file.map(str::to_owned), text });
            before = "";
        } else if !line.is_empty() {
            before = line;
        }
    }
    blocks
}

fn sections() -> HashMap<&'static str, &'static str> {
    let sections = COOKBOOK.split("\n## ").skip(1);
    sections.map(|section| section.split_once('\n').expect("a heading has a line")).collect()
}

impl Recipe {
    /// The recipe below this heading, with its files written.
    fn new(heading: &str) -> Self {
        let section = sections()[heading];
        let folder = tempfile::Builder::new().prefix("pando-cookbook-").tempdir();
        let folder = folder.expect("the temporary folder can be written");
        let mut commands: Vec<(String, Option<String>)> = Vec::new();
        for Block { kind, file, text } in blocks(section) {
            match (file, &*kind) {
                (Some(name), _) => {
                    let path = folder.path().join(name);
                    fs::create_dir_all(path.parent().expect("a folder")).unwrap();
                    fs::write(path, text).unwrap();
                }
                (None, "sh") => commands.push((text, None)),
                (None, "crontab") => {
                    let words: Vec<&str> = text.splitn(6, ' ').collect();
                    commands.push((words[5].to_owned(), None));
                }
                (None, "text") => {
                    let (_, shown) = commands.last_mut().expect("a command comes before its text");
                    *shown = Some(text);
                }
                (None, other) => panic!("a block of {other} without a name"),
            }
        }
        Self { folder, commands, is_open: !section.contains(" --local") }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Starts a command with `pando` on its path.
    fn start(&self, command: &str, variables: &[(&str, &str)]) -> RunningProgram {
        let mut shell = Command::new("sh");
        make_neutral(&mut shell);
        let binary = built("pando");
        let path = env::var_os("PATH").unwrap_or_default();
        let folders = binary.parent().map(PathBuf::from).into_iter().chain(env::split_paths(&path));
        shell.env("PATH", env::join_paths(folders).expect("paths without a colon"));
        shell.env("HOME", self.folder.path());
        if self.is_open {
            shell.env("PANDO_PORT", "0");
        }
        shell.env("PANDO_ALLOW_SLEEP", "true").envs(variables.iter().copied());
        shell.current_dir(self.folder.path()).args(["-e", "-c", command]);
        RunningProgram::start(&mut shell, Streams::default())
    }

    /// Runs all commands whose tools are installed.
    fn run(&self, variables: &[(&str, &str)]) {
        assert!(!self.commands.is_empty());
        for (command, shown) in &self.commands {
            let words: Vec<&str> = command.split_whitespace().collect();
            let missing = TOOLS.iter().find(|tool| words.contains(tool) && !is_installed(tool));
            if let Some(tool) = missing {
                eprintln!("skipped, because {tool} is not installed: {command}");
                continue;
            }
            let run = self.start(command, variables).wait();
            run.status(0);
            if let Some(shown) = shown {
                assert_eq!(&run.text(), shown, "{command}");
            }
        }
    }
}

fn is_installed(tool: &str) -> bool {
    let path = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&path).any(|folder| folder.join(tool).is_file())
}

#[test]
fn each_recipe_has_a_test_and_a_link() {
    let tests = include_str!("cookbook.rs");
    for heading in sections().keys() {
        assert!(tests.contains(&format!("Recipe::new(\"{heading}\")")), "{heading}");
        assert!(COOKBOOK.contains(&format!("- [{heading}](#")), "{heading}");
    }
}

#[test]
fn frames_of_an_animation() {
    let recipe = Recipe::new("Render the frames of an animation");
    recipe.run(&[]);
    assert_eq!(fs::read(recipe.path("frames/000001.ppm")).unwrap().len(), 13 + 3 * 64 * 64);
}

#[test]
fn parameters() {
    Recipe::new("Sweep parameters").run(&[]);
}

#[test]
fn pictures_and_people() {
    let recipe = Recipe::new("Label pictures with people");
    let run = recipe.start(&recipe.commands[0].0, &[]);
    let url = run.url();
    // Anna says "circle" to each picture, and Ben "square".
    let people = ["Anna", "Ben"].iter().enumerate().map(|(button, name)| {
        let mut tab = DrivenTab::open(&format!("{url}#device={name};")).expect("a browser");
        let click = format!(
            "setInterval(() => document.querySelectorAll('#visualization button')[{button}]?.click(), 50)"
        );
        tab.evaluate(&click).expect("the page runs it");
        tab
    });
    let people: Vec<_> = people.collect();
    run.wait().status(0);
    drop(people);
    let labels = fs::read_to_string(recipe.path("labels.ndjson")).unwrap();
    let labels: Vec<serde_json::Value> =
        labels.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(labels.len(), 2, "{labels:?}");
    for picture in labels {
        let mut judgements = picture.as_array().unwrap().clone();
        judgements.sort_by_key(|judgement| judgement["device"].to_string());
        let expected = serde_json::json!([
            {"device": "Anna", "result": "circle"},
            {"device": "Ben", "result": "square"},
        ]);
        assert_eq!(serde_json::Value::Array(judgements), expected);
    }
}

#[test]
fn texts() {
    Recipe::new("Classify texts").run(&[]);
}

#[test]
fn files_by_a_program() {
    let recipe = Recipe::new("Transcode files");
    fs::create_dir(recipe.path("songs")).unwrap();
    if is_installed("ffmpeg") {
        let tone = "ffmpeg -y -loglevel error -f lavfi -i sine=duration=1 songs/tone.wav";
        recipe.start(tone, &[]).wait().status(0);
    }
    recipe.run(&[]);
}

#[test]
fn monte_carlo() {
    Recipe::new("Monte Carlo").run(&[]);
}

#[test]
fn primes() {
    Recipe::new("Look for primes with a class").run(&[]);
}

#[test]
fn a_fasta_file() {
    Recipe::new("Read a FASTA file").run(&[]);
}

#[test]
fn a_language_model() {
    let recipe = Recipe::new("Ask a language model about each row");
    let model = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", model.local_addr().unwrap());
    thread::spawn(move || model.incoming().for_each(|socket| answer(socket.unwrap())));
    recipe.run(&[("LLM_URL", &url), ("LLM_KEY", "secret")]);
    assert_eq!(
        fs::read_to_string(recipe.path("answers.csv")).unwrap(),
        "id,question,answer\n\
        1,How many legs has a spider?,It has 27 letters.\n\
        2,\"Which is longer, a mile or a kilometre?\",It has 39 letters.\n"
    );
}

/// Answers one request as a language model: with the length of the question.
fn answer(mut socket: std::net::TcpStream) {
    let mut reader = BufReader::new(socket.try_clone().unwrap());
    let (mut length, mut has_key) = (0, false);
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {
        let line = head.trim().to_ascii_lowercase();
        length = line.strip_prefix("content-length: ").map_or(length, |n| n.parse().unwrap());
        has_key |= line == "authorization: bearer secret";
        head.clear();
    }
    let mut body = vec![0; length];
    if reader.read_exact(&mut body).is_err() {
        return;
    }
    assert!(has_key);
    let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
    let question = body["messages"][0]["content"].as_str().unwrap();
    let content = format!("It has {} letters.", question.len());
    let body = serde_json::json!({"choices": [{"message": {"content": content}}]}).to_string();
    let length = body.len();
    let _ = write!(
        socket,
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
}

#[test]
fn cron() {
    let recipe = Recipe::new("Run every night");
    recipe.run(&[]);
    assert_eq!(fs::read_to_string(recipe.path("project/results.txt")).unwrap(), "1\n4\n9\n");
    assert!(!recipe.path("project/nightly.journal").exists());
}

#[test]
fn make() {
    Recipe::new("In a Makefile").run(&[]);
}

#[test]
fn python() {
    Recipe::new("From Python").run(&[]);
}

#[test]
fn r() {
    Recipe::new("From R").run(&[]);
}

#[test]
fn notebooks() {
    Recipe::new("In a notebook").run(&[]);
}
