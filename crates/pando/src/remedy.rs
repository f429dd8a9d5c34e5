//! Adds advice to errors of the function that are known by their messages.

use pando_bundler::Bundle;

/// The start of an error message, on every device, for a result that JSON cannot represent.
const NO_JSON: &str = "the answer has no JSON form: result";

/// Messages of what was thrown without being an error.
const THROWN_IN_VAIN: [&str; 3] = ["", "undefined", "null"];

/// What `require` says of a module that is not in the bundle.
const NOT_BUNDLED: &str = "': it is not in the bundle";

/// What Node says of an `import()` of what is not in the bundle.
const NO_IMPORT: &str = "dynamic import callback was not specified";

/// What devices say of a value that throws when it is read.
const UNREADABLE: &str = "[unreadable]";

/// What engines say of bytes that are gone.
const DETACHED: [&str; 3] = [
    "on a detached ArrayBuffer",
    "attempting to access detached ArrayBuffer",
    "Buffer is already detached",
];

/// What engines say of a recursion that goes too deep.
const RECURSION: [&str; 2] = ["Maximum call stack", "too much recursion"];

/// The start of an error message for a result that `String` would reduce to the name of its class.
const NO_TEXT: &str = "the answer has no text: ";

/// `message`, followed by advice, if there is any.
pub(crate) fn with_remedy(message: &str, function: &Bundle) -> String {
    let unmet = message
        .strip_prefix(NO_JSON)
        .and_then(|rest| rest.rsplit_once(" is "))
        .map(|(_, what)| instead_of(what));
    if let Some(instead) = unmet {
        return format!("{message}: {instead}");
    }
    if message.starts_with(NO_JSON.trim_end_matches("result"))
        && RECURSION.iter().any(|words| message.contains(words))
    {
        return format!("{message}: it is nested too deeply: answer flatter data, or text");
    }
    if let Some(class) = message.strip_prefix(NO_TEXT) {
        return format!(
            "{NO_TEXT}it would be printed as {class}: answer text, for instance JSON.stringify(result), bytes or a Blob"
        );
    }
    if message.starts_with("Cannot find module '") && message.contains(NOT_BUNDLED) {
        return format!(
            "{message}: `require` or `import` each module by its name, as text, in the function's files"
        );
    }
    if message.contains(NO_IMPORT) {
        return format!(
            "{message}: an `import()` with a computed name cannot be bundled: import each module by its name"
        );
    }
    if DETACHED.iter().any(|words| message.contains(words)) {
        return format!(
            "{message}: the bytes are gone, because their buffer was transferred or the WebAssembly memory has grown: answer a copy \
             that was made before, by slice()"
        );
    }
    if message == UNREADABLE {
        return "a value that throws when it is read was thrown: throw an Error".to_owned();
    }
    if THROWN_IN_VAIN.contains(&message) {
        let what = if message.is_empty() { "an empty text" } else { message };
        return format!("{what} was thrown, which tells no reason: throw an Error");
    }
    if let Some(builtin) = function.missing_builtin(message) {
        return format!(
            "{message}: Node's built-in '{builtin}' is empty in the function, because {}",
            without(builtin)
        );
    }
    message.to_owned()
}

/// The text of an error outside a call: its stack, which mostly begins with its message, and
/// advice.
pub(crate) fn broken(message: &str, stack: Option<&str>, function: &Bundle) -> String {
    let stack = stack.map(|stack| function.trace(stack)).unwrap_or_default();
    let remedied = with_remedy(message, function);
    match stack.split_once(message) {
        Some((before, after)) => format!("{before}{remedied}{after}"),
        None => format!("{remedied}\n{stack}").trim_end().to_owned(),
    }
}

/// The advice for a result that JSON cannot represent.
fn instead_of(what: &str) -> &'static str {
    match what.rsplit(' ').next().unwrap_or_default() {
        "promise" => "await it, for instance with Promise.all",
        "Map" => "answer Object.fromEntries(it), or Array.from(it)",
        "Set" | "Iterator" | "Generator" => "answer its values, for instance by Array.from(it)",
        "Arguments" => "answer Array.from(it)",
        "DOMStringMap" => "answer Object.assign({}, it)",
        "Object" => {
            "JSON sees none of its data, which are no fields with names: answer them in a plain object"
        }
        "AsyncGenerator" => "collect its values with `for await`, and answer these",
        "Error" => "throw it, or answer its message",
        "Response" => "answer its body, for instance by `await r.text()`",
        "Blob" | "File" => "answer it alone, or its text, by `await blob.text()`",
        "Buffer" | "ArrayBuffer" => {
            "answer bytes alone, or base64, or Array.from(new Uint8Array(it))"
        }
        array if array.ends_with("Array") => "answer bytes alone, or Array.from(it)",
        "NaN" | "Infinity" | "-Infinity" | "date" => "answer null or text instead",
        "undefined" => "answer null instead",
        "BigInt" => "answer String(it)",
        "function" | "symbol" => "leave it out",
        "cycle" => "answer data that ends",
        _ => "answer plain data (text, numbers, arrays, objects of these), bytes or a Blob",
    }
}

/// Why browsers lack this built-in module, and what to use instead.
fn without(builtin: &str) -> &'static str {
    match builtin {
        "fs" | "fs/promises" => {
            "browsers have no files: import the file's text or JSON in the function, give its contents as values, or give \
             names of files as values with --files"
        }
        "child_process" => "browsers start no programs: --exec COMMAND runs one on this machine",
        "net" | "tls" | "dgram" | "dns" | "dns/promises" | "http2" => {
            "browsers open no sockets: use fetch or WebSocket"
        }
        "worker_threads" | "cluster" => {
            "it already runs on every core that is lent: leave the threads out"
        }
        _ => {
            "browsers have nothing like it: compute without it, or give what it would tell with the values"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_json_cannot_tell_has_its_remedy() {
        let told = |what: &str| {
            with_remedy(&format!("the answer has no JSON form: result{what}"), &Bundle::default())
        };
        let promise = "the answer has no JSON form: result[0] is a promise: await it, for instance with Promise.all";
        assert_eq!(told("[0] is a promise"), promise);
        assert!(
            told(".data is a Float64Array")
                .ends_with("a Float64Array: answer bytes alone, or Array.from(it)")
        );
        assert!(told("[\"this is mine\"] is an AsyncGenerator").contains("for await"));
        assert!(
            told(".energy is NaN").ends_with("result.energy is NaN: answer null or text instead")
        );
        assert!(told(".list is an Arguments").ends_with("an Arguments: answer Array.from(it)"));
        assert!(told(" is a Canvas").contains("plain data"));
        let deep = "the answer has no JSON form: RangeError: Maximum call stack size exceeded";
        assert!(
            with_remedy(deep, &Bundle::default()).contains("exceeded: it is nested too deeply")
        );
    }

    #[test]
    fn what_tells_nothing_is_told_as_such() {
        let told = |message| with_remedy(message, &Bundle::default());
        assert_eq!(told(""), "an empty text was thrown, which tells no reason: throw an Error");
        assert_eq!(
            told("undefined"),
            "undefined was thrown, which tells no reason: throw an Error"
        );
    }

    #[test]
    fn other_messages_stay() {
        for message in [
            "the answer has no JSON form: no",
            "TypeError: cb is not a function",
            "result is a Map",
        ] {
            assert_eq!(with_remedy(message, &Bundle::default()), message);
        }
    }
}
