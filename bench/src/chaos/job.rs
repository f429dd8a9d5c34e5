//! A random job: its values, its options, and its function in two languages (JavaScript for pando,
//! Rust for the expected results).

use super::{chance::Chance, values::values};
use bytes::Bytes;
use pando_protocol::volunteer::{Failure, Form, Value};
use serde_json::Value as Json;
use std::time::Duration;

/// The format of values and results.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ValueFormat {
    Lines,
    Null,
    Json,
}

/// The value of `--on-error`: what follows when every attempt at a value fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum AfterFailure {
    Stop,
    Skip,
    Report,
}

/// The last part of a result, after the length and the hash of the value.
#[derive(Debug, Clone, Copy)]
enum Tail {
    Nothing,
    /// The characters of the value in reverse order.
    Reversed,
    /// Digits, fewer than this number; the hash of the value gives the number of digits.
    Digits(u32),
}

/// A random job.
pub(crate) struct RandomJob {
    pub(crate) framing: ValueFormat,
    pub(crate) values: Vec<String>,
    tail: Tail,
    /// True: the function is the default export of a module, and receives the attempt. False: the
    /// function has a callback.
    modern: bool,
    /// The first attempt fails for about one in so many values.
    flaky: Option<u32>,
    /// Every attempt fails for about one in so many values, with this `--on-error`.
    poison: Option<(u32, AfterFailure)>,
    /// The mean time of one call.
    pub(crate) latency: Duration,
    /// A call computes until its time is over, and does not wait on a timer.
    busy: bool,
    /// The values are words of the command line.
    as_items: bool,
    /// The input comes through a pipe with pauses, not from a file.
    pub(crate) trickles: bool,
    /// Lines end in `\r\n`.
    carriage: bool,
    /// The last value has no separator after it.
    open_end: bool,
    pub(crate) heartbeat: Duration,
    pub(crate) journal: bool,
    /// Results may come in any order.
    pub(crate) unordered: bool,
    options: Vec<String>,
}

impl RandomJob {
    /// A job of `count` values that takes about `time` on `cores` cores.
    pub(crate) fn new(
        chance: &mut Chance,
        count: usize,
        time: Duration,
        cores: u32,
        heartbeat: Duration,
    ) -> Self {
        let framing = chance.one(&[
            ValueFormat::Lines,
            ValueFormat::Lines,
            ValueFormat::Null,
            ValueFormat::Json,
        ]);
        let budget = chance.one(&[100_000, 1_000_000, 3_000_000]);
        let values = values(chance, framing, count, budget);
        let latency =
            time.mul_f64(f64::from(cores) / count.max(1) as f64).min(Duration::from_millis(60));
        let mut job = Self {
            framing,
            values,
            tail: chance.one(&[
                Tail::Nothing,
                Tail::Reversed,
                Tail::Reversed,
                Tail::Digits(2000),
                Tail::Digits(200_000),
            ]),
            modern: chance.toss(0.5),
            flaky: None,
            poison: None,
            latency: if chance.toss(0.15) { Duration::ZERO } else { latency },
            busy: chance.toss(0.1),
            as_items: false,
            trickles: chance.toss(0.3),
            carriage: framing == ValueFormat::Lines && chance.toss(0.1),
            open_end: chance.toss(0.3),
            heartbeat,
            journal: chance.toss(0.5),
            unordered: false,
            options: Vec::new(),
        };
        if count > 50 && matches!(job.tail, Tail::Digits(_)) {
            job.tail = Tail::Digits(2000);
        }
        let often = [3, 20, 100];
        if chance.toss(0.2) {
            let what = if framing == ValueFormat::Json {
                AfterFailure::Report
            } else {
                AfterFailure::Stop
            };
            job.poison = Some((
                chance.one(&often),
                chance.one(&[AfterFailure::Skip, AfterFailure::Stop, what]),
            ));
            // A busy machine must not make the master take a device for gone.
            job.heartbeat *= 5;
        } else if job.modern && chance.toss(0.3) {
            job.flaky = Some(chance.one(&often));
        }
        // Where one value stops the run, chance decides which others are output before.
        job.unordered = !matches!(job.poison, Some((_, AfterFailure::Stop))) && chance.toss(0.15);
        job.as_items =
            count > 0 && framing != ValueFormat::Null && chance.toss(0.1) && job.may_be_items();
        job.options = options(chance, &job);
        job
    }

    /// The source code of the function.
    pub(crate) fn function(&self) -> String {
        let tail = match self.tail {
            Tail::Nothing => "''".into(),
            Tail::Reversed => "':' + [...x].reverse().join('')".into(),
            Tail::Digits(most) => format!("':' + '0123456789'.repeat(20000).slice(0, h % {most})"),
        };
        let late = match (self.latency.is_zero(), self.busy) {
            (true, _) => "answer(f(v, attempt))".to_owned(),
            (false, true) => {
                format!(
                    "{{ const until = Date.now() + Math.random() * {}; while (Date.now() < until); answer(f(v, attempt)) }}",
                    self.millis()
                )
            }
            (false, false) => format!(
                "setTimeout(() => {{ let r; try {{ r = f(v, attempt) }} catch (e) {{ return fail(e) }} answer(r) }}, Math.random() * {})",
                self.millis()
            ),
        };
        let flaky = self
            .flaky
            .map(|one| format!("if (attempt === 1 && h % {one} === 0) throw new Error('flaky')\n"))
            .unwrap_or_default();
        let poison = self
            .poison
            .map(|(one, _)| format!("if (h % {one} === 1) throw new Error('poison ' + h)\n"))
            .unwrap_or_default();
        let export = match self.modern {
            true => {
                "export default (v, { attempt }) => new Promise((answer, fail) => later(v, attempt, answer, fail))"
            }
            false => {
                "module.exports['/pando/1.0.0'] = (v, cb) => later(v, 2, r => cb(null, r), cb)"
            }
        };
        format!(
            "function f (v, attempt) {{\n\
             const x = typeof v === 'string' ? v : JSON.stringify(v)\n\
             let h = 0x811c9dc5\n\
             for (let i = 0; i < x.length; i++) h = Math.imul(h ^ x.charCodeAt(i), 0x01000193) >>> 0\n\
             {flaky}{poison}return x.length + ':' + h + {tail}\n\
             }}\n\
             function later (v, attempt, answer, fail) {{\n{late}\n}}\n{export}\n"
        )
    }

    fn millis(&self) -> f64 {
        self.latency.as_secs_f64() * 2000.0
    }

    /// The answer of a volunteer for `value`.
    pub(crate) fn answer(&self, value: &Value) -> Result<(Form, Bytes), Failure> {
        let text = std::str::from_utf8(&value.bytes).expect("the master sends text");
        let parsed = (self.framing == ValueFormat::Json)
            .then(|| serde_json::from_str(text).expect("the master sends JSON"));
        let text = match &parsed {
            None => text.to_owned(),
            Some(Json::String(text)) => text.clone(),
            Some(other) => other.to_string(),
        };
        let hash = hash(&text);
        if value.attempt == 0 && self.flaky.is_some_and(|one| hash.is_multiple_of(one)) {
            return Err(Failure { message: "flaky".into(), stack: None, kind: "throw".into() });
        }
        if self.poison.is_some_and(|(one, _)| hash % one == 1) {
            return Err(Failure {
                message: format!("poison {hash}"),
                stack: None,
                kind: "throw".into(),
            });
        }
        let result = self.result(&text, hash);
        Ok(match self.framing {
            ValueFormat::Json => (Form::Json, Json::from(result).to_string().into()),
            _ => (Form::Text, result.into()),
        })
    }

    fn result(&self, text: &str, hash: u32) -> String {
        let start = format!("{}:{hash}", text.encode_utf16().count());
        match self.tail {
            Tail::Nothing => start,
            Tail::Reversed => format!("{start}:{}", text.chars().rev().collect::<String>()),
            Tail::Digits(most) => {
                start + ":" + &"0123456789".repeat(20_000)[..(hash % most) as usize]
            }
        }
    }

    /// The bytes of the master's input.
    pub(crate) fn input(&self) -> Vec<u8> {
        let mut input = Vec::new();
        for value in &self.values {
            input.extend_from_slice(value.as_bytes());
            // The master strips one `\r` from the end of each line.
            if self.framing == ValueFormat::Lines && (self.carriage || value.ends_with('\r')) {
                input.push(b'\r');
            }
            input.push(self.separator());
        }
        if self.open_end
            && self.values.last().is_some_and(|last| !last.is_empty() && !last.ends_with('\r'))
        {
            input.pop();
        }
        input
    }

    fn may_be_items(&self) -> bool {
        let all: usize = self.values.iter().map(|value| value.len() + 9).sum();
        all < 500_000
            && self.values.iter().all(|value| value.len() < 100_000 && !value.contains('\0'))
    }

    /// The correct outcome of the job, from a plain loop over the values.
    pub(crate) fn expected(&self) -> Expected {
        let mut expected = Expected::default();
        let form = if self.framing == ValueFormat::Json { Form::Json } else { Form::Text };
        for (index, value) in (0..).zip(&self.values) {
            let mut value = Value::new(Bytes::copy_from_slice(value.as_bytes()), form);
            value.attempt = 1;
            match self.answer(&value) {
                Ok((_, result)) => {
                    expected.results.push(index);
                    expected.output.extend_from_slice(&result);
                    expected.output.push(self.separator());
                }
                Err(failure) => {
                    expected.status = 1;
                    match self.poison.map(|(_, on_error)| on_error) {
                        Some(AfterFailure::Skip) => {}
                        Some(AfterFailure::Report) => {
                            let message = Json::from(failure.message);
                            let input = String::from_utf8_lossy(&value.bytes).trim().to_owned();
                            let report = format!(
                                "{{\"error\":{{\"index\":{},\"message\":{message},\"input\":{input}}}}}",
                                index + 1
                            );
                            expected.output.extend_from_slice(report.as_bytes());
                            expected.output.push(b'\n');
                        }
                        Some(AfterFailure::Stop) | None => return expected,
                    }
                }
            }
        }
        expected
    }

    /// Whether failed attempts can fail a value, so that faults of devices must not use up its
    /// attempts.
    pub(crate) fn counts_attempts(&self) -> bool {
        self.poison.is_some()
    }

    pub(crate) fn separator(&self) -> u8 {
        if self.framing == ValueFormat::Null { 0 } else { b'\n' }
    }

    /// The words of the command line except files, port, token and items.
    pub(crate) fn options(&self) -> &[String] {
        &self.options
    }

    /// The last words of the command line: the values, if the job passes them as words.
    pub(crate) fn items(&self) -> impl Iterator<Item = String> {
        let values = self.values.iter().cloned();
        self.as_items.then(|| ["--".to_owned()].into_iter().chain(values)).into_iter().flatten()
    }

    /// Whether this machine's own cores take part.
    pub(crate) fn has_local_cores(&self) -> bool {
        !self.options.windows(2).any(|two| two == ["--cores", "0"])
    }
}

/// The correct outcome of a run.
#[derive(Debug, Default)]
pub(crate) struct Expected {
    pub(crate) output: Vec<u8>,
    pub(crate) status: i32,
    /// The indices of the values whose results are in the output.
    pub(crate) results: Vec<u64>,
}

/// A description of the job without the values.
impl std::fmt::Display for RandomJob {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let bytes: usize = self.values.iter().map(String::len).sum();
        let longest = self.values.iter().map(String::len).max().unwrap_or(0);
        write!(
            f,
            "{} values of {bytes} bytes, the longest {longest}; {:?} each{}, tail {:?}, flaky: {:?}, poisonous: {:?}; {}; options {}",
            self.values.len(),
            self.latency,
            if self.busy { " (busy)" } else { "" },
            self.tail,
            self.flaky,
            self.poison,
            match (self.as_items, self.trickles) {
                (true, _) => "words of the command line",
                (_, true) => "the input trickles",
                _ => "the input is a file",
            },
            self.options.join(" ")
        )
    }
}

fn options(chance: &mut Chance, job: &RandomJob) -> Vec<String> {
    let mut options = vec!["--heartbeat".to_owned(), format!("{}ms", job.heartbeat.as_millis())];
    let mut option = |name: &str, value: String| options.extend([name.to_owned(), value]);
    match job.poison {
        None => option("--retries", "1000000".into()),
        Some((_, on_error)) => {
            option("--retries", chance.one(&["0", "1", "2"]).into());
            option("--on-error", format!("{on_error:?}").to_lowercase());
        }
    }
    option("--cores", if chance.toss(0.12) { chance.one(&["1", "2"]) } else { "0" }.into());
    if chance.toss(0.5) {
        option("--window", chance.one(&["1", "2", "5", "20", "100", "1000"]).into());
    }
    if chance.toss(0.4) {
        option("--batch-size", chance.one(&["1", "2", "3", "10", "100"]).into());
    }
    if chance.toss(0.15) {
        option("--concurrency", chance.one(&["2", "5"]).into());
    }
    match job.framing {
        ValueFormat::Lines => {}
        ValueFormat::Null => options.push("-0".into()),
        ValueFormat::Json => options.push("--json".into()),
    }
    let flags = [
        ("--speculate", 0.25),
        ("-v", 0.1),
        ("--progress=always", 0.1),
        ("--events=events", 0.1),
        ("-q", 0.1),
    ];
    options.extend(
        flags.iter().filter(|(_, share)| chance.toss(*share)).map(|(flag, _)| (*flag).to_owned()),
    );
    if job.values.len() < 60 && !job.counts_attempts() && chance.toss(0.05) {
        // The command rejects about one in five results, and the master has to obtain them again.
        options.extend(
            ["--confirm", "test $(($(od -An -N1 -tu1 /dev/urandom) % 5)) != 0"].map(str::to_owned),
        );
    }
    options.extend(job.unordered.then(|| "--unordered".to_owned()));
    if !job.as_items {
        options.push("--stdin".into());
    }
    options
}

/// FNV-1a of the UTF-16 code units.
fn hash(text: &str) -> u32 {
    text.encode_utf16()
        .fold(0x811c_9dc5, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193))
}
