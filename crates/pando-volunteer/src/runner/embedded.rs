//! The embedded engine: a core that runs in a process of this program, by QuickJS. It computes 9 to
//! 16 times slower than the other engines, and needs nothing to be installed.
//!
//! The core talks with its host as a core of Node does ([`crate::child`]). The script of its host
//! (`web/src/embedded.ts`) has the logic of a core and the globals; this module gives it frames,
//! the time and random bytes.

use rquickjs::{
    Context, Ctx, Exception, Function, Object, Persistent, Runtime, TypedArray, Value,
    context::EvalOptions, function::IntoJsFunc,
};
use std::{
    cell::RefCell,
    ffi::OsString,
    fs,
    io::{ErrorKind, Read, Write},
    os::{fd::AsFd, unix::net::UnixStream},
    path::{Component, Path},
    process,
    rc::Rc,
    sync::mpsc::{Receiver, RecvTimeoutError, channel},
    thread,
    time::{Duration, Instant},
};

/// The stack of the thread that computes, in bytes, and the part of it that functions may use.
const STACK: usize = 32 << 20;
const STACK_OF_FUNCTIONS: usize = 24 << 20;
/// How long a timer that is not due soon may be slept over.
const LONGEST_SLEEP: Duration = Duration::from_secs(3600);
/// Most frames that are read ahead of the function.
const JSON: u8 = 0;

/// Why the engine does not work.
type EngineFailure = Box<dyn std::error::Error + Send + Sync>;

/// Runs a core until its host closes the connection; `args` has the memory of the function, in
/// bytes, if it is limited. Returns the exit status.
pub(crate) fn embedded_core(mut args: impl Iterator<Item = OsString>) -> i32 {
    let memory = args.next().and_then(|word| word.to_str()?.parse().ok());
    // QuickJS counts on a stack of a known size.
    let core = thread::Builder::new().stack_size(STACK).spawn(move || run(memory));
    match core.map_err(EngineFailure::from).map(|core| core.join()) {
        Ok(Ok(Ok(()))) => 0,
        Ok(Ok(Err(error))) | Err(error) => {
            eprintln!("{error}");
            1
        }
        Ok(Err(_)) => 1,
    }
}

fn run(memory: Option<usize>) -> Result<(), EngineFailure> {
    let socket = UnixStream::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let (frames, received) = channel();
    let mut reading = socket.try_clone()?;
    thread::spawn(move || {
        while let Some(frame) = read_frame(&mut reading) {
            if frames.send(frame).is_err() {
                return;
            }
        }
        // The host is gone; the function may never end by itself.
        process::exit(0);
    });
    let host = received.recv()?;
    let engine = EmbeddedEngine::start(memory, socket, host)?;
    engine.turn(&received)
}

fn read_frame(socket: &mut UnixStream) -> Option<Vec<u8>> {
    let mut length = [0; 4];
    socket.read_exact(&mut length).ok()?;
    let mut frame = Vec::new();
    let length = u64::from(u32::from_le_bytes(length));
    let read = socket.take(length).read_to_end(&mut frame).ok()?;
    (read as u64 == length).then_some(frame)
}

/// Writes the parts of a frame.
fn write_frame(socket: &RefCell<UnixStream>, kind: &[u8], body: &[u8]) {
    let mut frame = Vec::with_capacity(4 + kind.len() + body.len());
    frame.extend_from_slice(&((kind.len() + body.len()) as u32).to_le_bytes());
    frame.extend_from_slice(kind);
    frame.extend_from_slice(body);
    if socket.borrow_mut().write_all(&frame).is_err() {
        process::exit(0);
    }
}

/// A running script. The order of the fields is the order in which they are dropped: the values
/// before their engine.
struct EmbeddedEngine {
    script: Persistent<Object<'static>>,
    context: Context,
    runtime: Runtime,
}

impl EmbeddedEngine {
    /// Runs the script of the host.
    fn start(
        memory: Option<usize>,
        socket: UnixStream,
        host: Vec<u8>,
    ) -> Result<Self, EngineFailure> {
        let runtime = Runtime::new()?;
        runtime.set_max_stack_size(STACK_OF_FUNCTIONS);
        if let Some(memory) = memory {
            runtime.set_memory_limit(memory);
        }
        let context = Context::full(&runtime)?;
        let script = context.with(|ctx| {
            let begun = (|| {
                ctx.globals().set("__pandoNative", native(&ctx, socket)?)?;
                let () = evaluate(&ctx, host, "host.js")?;
                let script: Object = ctx.globals().get("__pandoScript")?;
                ctx.globals().remove("__pandoScript")?;
                Ok(Persistent::save(&ctx, script))
            })();
            begun.map_err(|_: rquickjs::Error| EngineFailure::from(words(&ctx)))
        })?;
        let rejection = script.clone();
        runtime.set_host_promise_rejection_tracker(Some(Box::new(
            move |ctx, promise, reason, is_handled| {
                let script = rejection.clone().restore(&ctx);
                let told: rquickjs::Result<()> = script.and_then(|script| {
                    script.get::<_, Function>("rejection")?.call((promise, reason, is_handled))
                });
                drop(told);
            },
        )));
        Ok(Self { script, context, runtime })
    }

    /// Runs jobs, timers and frames until the connection ends.
    fn turn(&self, frames: &Receiver<Vec<u8>>) -> Result<(), EngineFailure> {
        loop {
            self.finish_jobs()?;
            let wait: f64 = self.call("untilTimer", ())?;
            let frame = match wait {
                0.0 => frames.try_recv().map_err(|_| RecvTimeoutError::Timeout),
                wait => frames.recv_timeout(match wait {
                    ..0.0 => LONGEST_SLEEP,
                    wait => Duration::from_secs_f64(wait / 1000.0).min(LONGEST_SLEEP),
                }),
            };
            match frame {
                Ok(frame) => self.deliver(frame)?,
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.finish_jobs()?;
            self.call::<_, ()>("runTimers", ())?;
        }
    }

    fn deliver(&self, frame: Vec<u8>) -> Result<(), EngineFailure> {
        if frame.first() == Some(&JSON) {
            return self.call("message", (String::from_utf8(frame[1..].to_vec())?,));
        }
        let delivered = self.context.with(|ctx| {
            let frame = TypedArray::<u8>::new(ctx.clone(), frame)?;
            self.script(&ctx)?.get::<_, Function>("values")?.call::<_, Value>((frame,)).map(drop)
        });
        self.settle(delivered)
    }

    /// Runs all jobs, also those that come with them.
    fn finish_jobs(&self) -> Result<(), EngineFailure> {
        loop {
            match self.runtime.execute_pending_job() {
                Ok(true) => {}
                Ok(false) => {
                    self.call::<_, ()>("idle", ())?;
                    if !self.runtime.is_job_pending() {
                        return Ok(());
                    }
                }
                Err(error) => {
                    let told = error.0.with(|ctx| {
                        let error = ctx.catch();
                        self.script(&ctx)?.get::<_, Function>("uncaught")?.call::<_, ()>((error,))
                    });
                    self.settle(told)?;
                }
            }
        }
    }

    fn script<'js>(&self, ctx: &Ctx<'js>) -> rquickjs::Result<Object<'js>> {
        self.script.clone().restore(ctx)
    }

    /// Calls a function of the script.
    fn call<A, R>(&self, name: &str, args: A) -> Result<R, EngineFailure>
    where
        A: for<'js> rquickjs::function::IntoArgs<'js>,
        R: for<'js> rquickjs::FromJs<'js>,
    {
        let answer = self
            .context
            .with(|ctx| self.script(&ctx)?.get::<_, Function>(name)?.call::<_, R>(args));
        match answer {
            Ok(answer) => Ok(answer),
            Err(error) => {
                self.settle(Err(error))?;
                Err("the script of the host fails".into())
            }
        }
    }

    /// The script itself has no error, so memory or stack ran out: the core ends, and another one
    /// takes its place.
    fn settle(&self, result: rquickjs::Result<()>) -> Result<(), EngineFailure> {
        result.map_err(|_| self.context.with(|ctx| words(&ctx)).into())
    }
}

/// The pending exception, in words.
fn words(ctx: &Ctx<'_>) -> String {
    let error = ctx.catch();
    match error.as_exception() {
        Some(error) => format!(
            "{}{}",
            error.message().unwrap_or_default(),
            error.stack().map(|stack| format!("\n{stack}")).unwrap_or_default()
        ),
        None => "memory ran out".into(),
    }
}

/// Runs a classic script.
fn evaluate(ctx: &Ctx<'_>, code: impl Into<Vec<u8>>, name: &str) -> rquickjs::Result<()> {
    let mut options = EvalOptions::default();
    options.strict = false;
    options.filename = Some(name.into());
    ctx.eval_with_options::<Value, _>(code, options).map(drop)
}

/// The functions of this program for the script; see `web/src/embedded/native.ts`.
fn native<'js>(ctx: &Ctx<'js>, socket: UnixStream) -> rquickjs::Result<Object<'js>> {
    let native = Object::new(ctx.clone())?;
    let socket = Rc::new(RefCell::new(socket));
    let start = Instant::now();
    set(ctx, &native, "now", move || start.elapsed().as_secs_f64() * 1000.0)?;
    let to = socket.clone();
    set(ctx, &native, "message", move |text: String| write_frame(&to, &[JSON], text.as_bytes()))?;
    set(ctx, &native, "results", move |bytes: String| {
        // One character stands for each byte.
        let frame: Vec<u8> = bytes.chars().map(|byte| u32::from(byte) as u8).collect();
        write_frame(&socket, &[], &frame);
    })?;
    set(ctx, &native, "run", |ctx: Ctx<'js>, code: String, name: String| {
        evaluate(&ctx, code, &name)
    })?;
    set(ctx, &native, "utf8", |ctx: Ctx<'js>, text: String| {
        TypedArray::<u8>::new(ctx, text.into_bytes())
    })?;
    set(ctx, &native, "asset", |ctx: Ctx<'js>, root: String, name: String| {
        match asset(Path::new(&root), &name) {
            Ok(bytes) => TypedArray::<u8>::new(ctx, bytes),
            Err(why) => Err(Exception::throw_message(&ctx, &why)),
        }
    })?;
    set(ctx, &native, "random", |ctx: Ctx<'js>, count: usize| {
        let mut bytes = vec![0; count];
        match getrandom::fill(&mut bytes) {
            Ok(()) => TypedArray::<u8>::new(ctx, bytes),
            Err(_) => Err(Exception::throw_message(&ctx, "the system gives no random bytes")),
        }
    })?;
    Ok(native)
}

/// The bytes of the asset `name`, which lies in the folder `root` even if links lead to it.
///
/// # Errors
/// When there is no such asset, in words for people.
fn asset(root: &Path, name: &str) -> Result<Vec<u8>, String> {
    let is_plain = !name.is_empty()
        && Path::new(name).components().all(|part| matches!(part, Component::Normal(_)));
    if !is_plain {
        return Err("give a path below the folder, without `..`".into());
    }
    let path = fs::canonicalize(root.join(name)).map_err(|error| match error.kind() {
        ErrorKind::NotFound => "there is no such file".to_owned(),
        _ => error.to_string(),
    })?;
    if !path.starts_with(root) {
        return Err("a link leads out of the folder".into());
    }
    if !path.is_file() {
        return Err("this is no file".into());
    }
    fs::read(path).map_err(|error| error.to_string())
}

fn set<'js, P>(
    ctx: &Ctx<'js>,
    object: &Object<'js>,
    name: &str,
    function: impl IntoJsFunc<'js, P> + 'js,
) -> rquickjs::Result<()> {
    object.set(name, Function::new(ctx.clone(), function)?)
}
