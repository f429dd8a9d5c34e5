//! The function of a job in two languages: JavaScript for pando, Rust for the expected results and
//! for the simulated volunteers.

use super::{RandomJob, Shape, Tail, ValueFormat};
use crate::chaos::trust::Lie;
use bytes::Bytes;
use pando_protocol::volunteer::{Failure, Form, Value};
use serde_json::Value as Json;

impl RandomJob {
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
        let shape = match self.shape {
            Shape::Plain => "",
            Shape::Chunk(_) => {
                "if (Array.isArray(v) && attempt >= 0) return v.map(one => g(one, attempt))\nreturn g(v, attempt)\n}\nfunction g (v, attempt) {\n"
            }
            Shape::Table => "v = v.text\n",
        };
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
             {shape}const x = typeof v === 'string' ? v : JSON.stringify(v)\n\
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

    /// The answer of a volunteer for an item. With `lie`, wrong results end with its word.
    pub(crate) fn answer(
        &self,
        value: &Value,
        lie: Option<&Lie>,
    ) -> Result<(Form, Bytes), Failure> {
        let text = std::str::from_utf8(&value.bytes).expect("the master sends text");
        let json = || -> Json { serde_json::from_str(text).expect("the master sends JSON") };
        let compute = |text: String| self.compute(&text, value.attempt, lie);
        Ok(match (self.shape, self.framing) {
            (Shape::Chunk(_), _) => {
                let Json::Array(values) = json() else { panic!("the master sends chunks") };
                let results: Result<Vec<String>, Failure> =
                    values.iter().map(|value| compute(text_of(value))).collect();
                (Form::Json, Json::from(results?).to_string().into())
            }
            (Shape::Table, _) => {
                (Form::Json, Json::from(compute(text_of(&json()["text"]))?).to_string().into())
            }
            (Shape::Plain, ValueFormat::Json) => {
                (Form::Json, Json::from(compute(text_of(&json()))?).to_string().into())
            }
            (Shape::Plain, _) => (Form::Text, compute(text.to_owned())?.into()),
        })
    }

    /// The result of a value, whose text this is.
    pub(super) fn compute(
        &self,
        text: &str,
        attempt: u32,
        lie: Option<&Lie>,
    ) -> Result<String, Failure> {
        let hash = hash(text);
        let fail = |message: String| Failure::new(message, "throw");
        if attempt == 0 && self.flaky.is_some_and(|one| hash.is_multiple_of(one)) {
            return Err(fail("flaky".into()));
        }
        if self.poison.is_some_and(|(one, _)| hash % one == 1) {
            return Err(fail(format!("poison {hash}")));
        }
        let mut result = self.result(text, hash);
        if let Some(lie) = lie.filter(|lie| hash % 100 < lie.share) {
            result += &lie.word;
        }
        Ok(result)
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
}

/// The text of a value from JSON, as the function takes it.
pub(super) fn text_of(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        other => other.to_string(),
    }
}

/// FNV-1a of the UTF-16 code units.
pub(super) fn hash(text: &str) -> u32 {
    text.encode_utf16()
        .fold(0x811c_9dc5, |hash, unit| (hash ^ u32::from(unit)).wrapping_mul(0x0100_0193))
}
