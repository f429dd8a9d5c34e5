//! Finds out from an error which feature the function lacks on a device: a browser's global on
//! this machine's cores, a feature of https in a page over http, a method in an old browser. Pure.

use std::fmt;

/// Prefixes by which engines name a property of the global object.
const GLOBAL: [&str; 4] = ["globalThis.", "self.", "window.", "global."];

/// Names only in documents, not in workers.
const OF_PAGES: &str = "\
    document window localStorage sessionStorage Image Audio Option DOMParser XMLSerializer XPathEvaluator XSLTProcessor \
    Element Node NodeFilter NodeList Document DocumentFragment Range MutationObserver IntersectionObserver \
    ResizeObserver customElements getComputedStyle matchMedia alert confirm prompt screen history visualViewport \
    AudioContext OfflineAudioContext MediaRecorder MediaSource MediaStream speechSynthesis SpeechSynthesisUtterance \
    RTCPeerConnection RTCSessionDescription RTCIceCandidate CSS CSSStyleSheet SharedWorker";

/// Names in browsers, including workers, but not in Node, or not in every supported version of
/// Node.
const OF_BROWSERS: &str = "\
    OffscreenCanvas XMLHttpRequest FileReader FileReaderSync caches Worker ImageData ImageBitmap createImageBitmap \
    indexedDB WebSocket EventSource Path2D FontFace FontFaceSet Notification WebTransport ErrorEvent ProgressEvent \
    WorkerGlobalScope DedicatedWorkerGlobalScope requestAnimationFrame cancelAnimationFrame requestIdleCallback \
    addEventListener removeEventListener dispatchEvent postMessage reportError trustedTypes scheduler cookieStore \
    ReportingObserver CanvasRenderingContext2D OffscreenCanvasRenderingContext2D WebGLRenderingContext \
    WebGL2RenderingContext IDBFactory IDBKeyRange IDBDatabase DOMRect DOMRectReadOnly DOMPoint DOMMatrix DOMQuad \
    VideoFrame AudioData navigator";

/// Names in browsers and in every supported engine but the embedded one.
const OF_ENGINES: &str = "\
    fetch Request Response Headers FormData WebAssembly Intl ReadableStream WritableStream TransformStream \
    CompressionStream DecompressionStream TextDecoderStream TextEncoderStream MessageChannel MessagePort \
    BroadcastChannel";

/// Names only in pages over https and in pages of the local machine.
const OF_HTTPS: &str = "\
    crypto.subtle crypto.randomUUID navigator.gpu navigator.locks navigator.storage navigator.serviceWorker \
    navigator.wakeLock navigator.mediaDevices navigator.clipboard navigator.credentials navigator.bluetooth \
    navigator.usb navigator.serial navigator.hid navigator.userAgentData caches cookieStore WebTransport VideoEncoder \
    VideoDecoder AudioEncoder AudioDecoder ImageDecoder SubtleCrypto CryptoKey Cache CacheStorage GPUBufferUsage \
    GPUMapMode GPUTextureUsage GPUShaderStage GPUColorWrite";
/// Phrases in errors thrown by the function itself, with the name of the missing feature.
const SAID: [(&str, &str); 6] = [
    ("secure context", "secure contexts"),
    ("secure origin", "secure contexts"),
    ("WebCrypto", "crypto.subtle"),
    ("Web Crypto", "crypto.subtle"),
    ("WebGPU", "navigator.gpu"),
    ("OffscreenCanvas", "OffscreenCanvas"),
];

/// Methods missing in old browsers.
const OF_ARRAYS: &str = "at flat flatMap findLast findLastIndex toSorted toReversed toSpliced";
const OF_STRINGS: &str = "replaceAll matchAll trimStart trimEnd isWellFormed toWellFormed";
/// Objects with functions that differ between browsers.
const HOLDERS: &str = "\
    Object Array Promise String Number Math JSON Reflect Symbol Intl Atomics WebAssembly URL AbortSignal Response \
    crypto navigator performance Error Map";

/// The name of a missing feature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct MissingFeature(pub(crate) String);

impl MissingFeature {
    /// Finds the missing feature in an error `message`, if the message tells. `stack` refers to
    /// the script `code`.
    pub(crate) fn of(message: &str, stack: Option<&str>, code: &str) -> Option<Self> {
        let first = message.lines().next().unwrap_or_default();
        let text = first
            .split_once("Error: ")
            .filter(|(kind, _)| kind.chars().all(char::is_alphanumeric))
            .map_or(first, |(_, text)| text);
        let name = undefined(text)
            .or_else(|| uncallable(text))
            .or_else(|| uncallable_at_place(text, stack, code))
            .or_else(|| read_of_nothing(text, stack, code));
        name.or_else(|| said(text)).map(Self)
    }

    /// The error message, in words which name the feature.
    pub(crate) fn in_words(&self, message: &str) -> String {
        let message = message.lines().next().unwrap_or_default();
        let message =
            message.trim_start_matches("ReferenceError: ").trim_start_matches("TypeError: ");
        let words = match message.contains(&self.0) {
            true => message.to_owned(),
            false => format!("there is no {self}: {message}"),
        };
        match self.is_of_engines() {
            true => words + ", which Node.js has, and the embedded engine has not",
            false => words,
        }
    }

    /// Whether browsers have the feature, but the engine of a core that lacks the feature does not.
    pub(crate) fn is_of_browsers(&self) -> bool {
        self.is_of_pages()
            || self.is(OF_BROWSERS)
            || self.is_of_engines()
            || self.needs_https() && !self.is_of_node()
    }

    /// Whether Node has the feature, and the embedded engine does not. A member that such an object
    /// lacks is missing in another engine.
    pub(crate) fn is_of_engines(&self) -> bool {
        OF_ENGINES.split(' ').any(|name| name == self.0)
    }

    /// Whether only pages have the feature, and their workers do not.
    pub(crate) fn is_of_pages(&self) -> bool {
        let is_element = self.0.starts_with("HTML") || self.0.starts_with("SVG");
        self.is(OF_PAGES) || is_element && self.0.ends_with("Element")
    }

    /// Whether the feature exists only in pages over https or of the local machine.
    pub(crate) fn needs_https(&self) -> bool {
        self.is(OF_HTTPS) || self.0 == "secure contexts"
    }

    fn is_of_node(&self) -> bool {
        self.0.starts_with("crypto")
            || matches!(&*self.0, "SubtleCrypto" | "CryptoKey" | "secure contexts")
    }

    /// Whether the feature is in the list `names`, or a member of a name there.
    fn is(&self, names: &str) -> bool {
        names.split(' ').any(|name| {
            self.0.strip_prefix(name).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

impl fmt::Display for MissingFeature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Parses `X is not defined` (Chromium, Firefox), `Can't find variable: X` (WebKit), and errors
/// about a member of an undefined object.
fn undefined(text: &str) -> Option<String> {
    let name =
        text.strip_suffix(" is not defined").or_else(|| text.strip_prefix("Can't find variable: "));
    let path = name.or_else(|| base_of_member(text))?;
    is_path(path).then(|| global(path))
}

/// The undefined object in an error about one of its members.
fn base_of_member(text: &str) -> Option<&str> {
    if let Some(path) = text.strip_suffix(" is undefined") {
        // `can't access property "z", x.y is undefined`
        return path.rsplit(", ").next();
    }
    if let Some(text) = text.strip_suffix("' as it is undefined.") {
        // `Cannot destructure property 'z' of 'x.y' as it is undefined.`
        return text.rsplit("of '").next();
    }
    // `undefined is not an object (evaluating 'x.y.z(0)')`
    let evaluated = text.strip_prefix("undefined is not an object (evaluating '")?;
    let path = evaluated.split(['(', '\'']).next()?;
    Some(path.rsplit_once('.')?.0)
}

/// Parses `x.y is not a function` and `x.y is not a constructor`, if `x.y` is a known feature or
/// method.
fn uncallable(text: &str) -> Option<String> {
    let at = text.find(" is not a function").or_else(|| text.find(" is not a constructor"))?;
    let expression = &text[..at];
    let path = global(last_path(expression));
    let missing = MissingFeature(path.clone());
    if missing.is_of_browsers() || missing.needs_https() {
        return Some(path);
    }
    match path.rsplit_once('.') {
        Some((holder, _)) if HOLDERS.split(' ').any(|known| known == holder) => Some(path),
        _ => method(expression.rsplit_once('.')?.1),
    }
}

/// Parses `not a function` of QuickJS: the script shows which one.
fn uncallable_at_place(text: &str, stack: Option<&str>, code: &str) -> Option<String> {
    let (before, after) = (text == "not a function").then(|| at_place(stack?, code))??;
    // The place is that of the space between `new` and the name.
    let path = match (before.ends_with("new"), after.strip_prefix(' ')) {
        (true, Some(after)) => after.split(|c| !is_part_of_path(c)).next()?,
        _ => last_path(before),
    };
    uncallable(&format!("{path} is not a function"))
}

fn method(name: &str) -> Option<String> {
    let holder = match name {
        _ if OF_ARRAYS.split(' ').any(|known| known == name) => "Array",
        _ if OF_STRINGS.split(' ').any(|known| known == name) => "String",
        _ => return None,
    };
    Some(format!("{holder}.prototype.{name}"))
}

/// Parses `Cannot read properties of undefined (reading 'z')`, also in the words of older
/// Chromium and of QuickJS: the script shows the undefined object.
fn read_of_nothing(text: &str, stack: Option<&str>, code: &str) -> Option<String> {
    let member = text
        .strip_prefix("Cannot read properties of undefined (reading '")
        .and_then(|rest| rest.strip_suffix("')"));
    let member = member.or_else(|| {
        let text = text.strip_prefix(['C', 'c'])?;
        text.strip_prefix("annot read property '")?.strip_suffix("' of undefined")
    })?;
    let place = stack.and_then(|stack| at_place(stack, code));
    let base = place
        .map(|(before, _)| last_path(before.trim_end_matches(['.', '?'])))
        .filter(|base| !base.is_empty())
        .map(global);
    let known = base.filter(|base| {
        let missing = MissingFeature(base.clone());
        missing.is_of_browsers() || missing.needs_https()
    });
    known.or_else(|| holder_of(member).map(str::to_owned))
}

/// The only object that has this member.
fn holder_of(member: &str) -> Option<&'static str> {
    Some(match member {
        "digest" | "encrypt" | "decrypt" | "generateKey" | "importKey" | "exportKey"
        | "deriveKey" | "deriveBits" | "wrapKey" | "unwrapKey" => "crypto.subtle",
        "requestAdapter" | "getPreferredCanvasFormat" => "navigator.gpu",
        "getDirectory" => "navigator.storage",
        "getUserMedia" | "enumerateDevices" => "navigator.mediaDevices",
        _ => return None,
    })
}

fn said(text: &str) -> Option<String> {
    let names = OF_HTTPS.split(' ').filter(|name| name.contains('.')).map(|name| (name, name));
    names.chain(SAID).find(|(words, _)| text.contains(words)).map(|(_, name)| name.to_owned())
}

/// The line of the script before and after the position in the first line of `stack` that has one.
fn at_place<'a>(stack: &str, code: &'a str) -> Option<(&'a str, &'a str)> {
    let place = stack.lines().find_map(|line| line.split_once("function.js:"))?.1;
    let mut numbers = place.split(|c: char| !c.is_ascii_digit()).map(str::parse::<usize>);
    let (row, column) = (numbers.next()?.ok()?, numbers.next()?.ok()?);
    let line = code.split('\n').nth(row.checked_sub(1)?)?;
    // Engines count columns in UTF-16 units.
    let mut units = 0;
    let end = line.char_indices().find(|(_, c)| {
        units += c.len_utf16();
        units >= column
    });
    Some(line.split_at(end?.0))
}

/// The path of names at the end of `text`: `x.y` for `f(x.y`.
fn last_path(text: &str) -> &str {
    let start = text
        .rfind(|c: char| !is_part_of_path(c))
        .map_or(0, |at| at + text[at..].chars().next().map_or(1, char::len_utf8));
    text[start..].trim_start_matches('.')
}

fn is_path(text: &str) -> bool {
    !text.is_empty() && text.chars().all(is_part_of_path)
}

fn is_part_of_path(c: char) -> bool {
    c.is_alphanumeric() || "_$.".contains(c)
}

/// `path` without the name of the global object.
fn global(path: &str) -> String {
    GLOBAL.iter().find_map(|name| path.strip_prefix(name)).unwrap_or(path).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn missing(message: &str) -> Option<String> {
        MissingFeature::of(message, None, "").map(|missing| missing.0)
    }

    #[test]
    fn all_engines_name_what_is_missing() {
        for (message, name) in [
            ("OffscreenCanvas is not defined", "OffscreenCanvas"),
            ("ReferenceError: OffscreenCanvas is not defined", "OffscreenCanvas"),
            ("Can't find variable: OffscreenCanvas", "OffscreenCanvas"),
            ("self.OffscreenCanvas is not a constructor", "OffscreenCanvas"),
            ("crypto.subtle is undefined", "crypto.subtle"),
            ("can't access property \"digest\", crypto.subtle is undefined", "crypto.subtle"),
            ("undefined is not an object (evaluating 'crypto.subtle.digest')", "crypto.subtle"),
            (
                "undefined is not an object (evaluating 'self.crypto.subtle.digest('SHA-1', x)')",
                "crypto.subtle",
            ),
            (
                "Cannot destructure property 'digest' of 'crypto.subtle' as it is undefined.",
                "crypto.subtle",
            ),
            ("Cannot read properties of undefined (reading 'digest')", "crypto.subtle"),
            ("Cannot read property 'requestAdapter' of undefined", "navigator.gpu"),
            ("cannot read property 'requestAdapter' of undefined", "navigator.gpu"),
            ("fetch is not defined", "fetch"),
            ("crypto.randomUUID is not a function", "crypto.randomUUID"),
            ("[(x * x)].at is not a function", "Array.prototype.at"),
            (
                "[x].at is not a function. (In '[x].at(-1)', '[x].at' is undefined)",
                "Array.prototype.at",
            ),
            ("Object.fromEntries is not a function", "Object.fromEntries"),
            ("structuredClone is not defined", "structuredClone"),
            ("this needs a secure context", "secure contexts"),
        ] {
            assert_eq!(missing(message).as_deref(), Some(name), "{message}");
        }
        for message in [
            "boom",
            "x.foo is not a function",
            "Cannot read properties of undefined (reading 'length')",
            "the document is empty",
        ] {
            assert_eq!(missing(message), None, "{message}");
        }
    }

    #[test]
    fn a_member_that_an_object_of_all_engines_lacks_is_not_of_the_embedded_engine() {
        let missing = |message| MissingFeature::of(message, None, "").unwrap();
        assert!(missing("Intl is not defined").is_of_browsers());
        assert!(!missing("Intl.Missing is not a constructor").is_of_browsers());
    }

    #[test]
    fn where_quickjs_does_not_say_which_function_the_script_does() {
        let at = |code: &str, column: usize| {
            let stack = format!("    at f (function.js:1:{column})");
            MissingFeature::of("TypeError: not a function", Some(&stack), code).map(|name| name.0)
        };
        assert_eq!(at("a=new self.OffscreenCanvas(1)", 6).as_deref(), Some("OffscreenCanvas"));
        assert_eq!(at("f(createImageBitmap(x))", 20).as_deref(), Some("createImageBitmap"));
        assert_eq!(at("f(x.foo(x))", 8), None);
    }

    #[test]
    fn where_the_engine_does_not_say_of_what_the_script_does() {
        let code = "/* é */\nf(async()=>await navigator.locks.request('x'))";
        let column = code.lines().nth(1).unwrap().find("request").unwrap() + 1;
        let stack = format!("TypeError: …\n    at f (http://h/t/function.js:2:{column})");
        let message = "Cannot read properties of undefined (reading 'request')";
        assert_eq!(
            MissingFeature::of(message, Some(&stack), code),
            Some(MissingFeature("navigator.locks".into()))
        );
        assert_eq!(
            MissingFeature::of(message, Some(&stack), "somebody.else\nf(x.request())"),
            None
        );
    }

    #[test]
    fn what_browsers_have_is_told_from_what_nobody_has() {
        let of = |name: &str| {
            let missing = MissingFeature(name.into());
            (missing.is_of_browsers(), missing.is_of_pages(), missing.needs_https())
        };
        assert_eq!(of("document"), (true, true, false));
        assert_eq!(of("HTMLCanvasElement"), (true, true, false));
        assert_eq!(of("OffscreenCanvas"), (true, false, false));
        assert_eq!(of("navigator.gpu"), (true, false, true));
        assert_eq!(of("caches"), (true, false, true));
        assert_eq!(of("crypto.subtle"), (false, false, true));
        assert_eq!(of("documnt"), (false, false, false));
        assert_eq!(of("DOMException"), (false, false, false));
        assert_eq!(of("Array.prototype.at"), (false, false, false));
    }
}
