//! Pando within another Rust program, from a stream of values to a stream of results.

use futures_util::{Stream, StreamExt, stream};
use pando::{Error, OnError, Pando};
use pando_protocol::volunteer::Binary;
use pando_testing::{Received, WebSocket, has_ended};
use std::{
    fs,
    net::TcpStream,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    time::Duration,
};
use tempfile::TempDir;

const SQUARE: &str = "export default x => x * x";

/// A module in its own folder, computed by two cores of this machine.
pub(crate) fn local(source: &str) -> (Pando, TempDir) {
    let (pando, folder) = written(source);
    (pando.local(true).cores(2), folder)
}

fn written(source: &str) -> (Pando, TempDir) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("f.js");
    fs::write(&path, source).expect("a file");
    (Pando::new(path), folder)
}

/// All results of `values`.
async fn all<S>(pando: Pando, values: S) -> Vec<Result<f64, Error>>
where
    S: Stream<Item: serde::Serialize> + Send + 'static,
{
    pando.map(values).await.expect("a run").collect().await
}

/// The reason why a run cannot be opened.
async fn refusal(pando: Pando) -> String {
    match pando.map::<f64, _>(stream::iter([1])).await {
        Err(Error::Refused(why)) => why,
        other => panic!("the run is to be refused: {other:?}"),
    }
}

/// The endless stream `1`, `2`, …, and a count of the values taken.
fn counted() -> (impl Stream<Item = u64> + Send + 'static, Arc<AtomicU64>) {
    let taken = Arc::new(AtomicU64::new(0));
    let count = taken.clone();
    (stream::repeat_with(move || count.fetch_add(1, Ordering::SeqCst) + 1), taken)
}

#[tokio::test]
async fn a_stream_becomes_the_stream_of_its_results_in_order() {
    let (pando, _folder) = local(
        "module.exports['/pando/1.0.0'] = (x, cb) => setTimeout(() => cb(null, x * x), x % 3)",
    );
    let results = all(pando, stream::iter(1..=50)).await;
    assert_eq!(results, (1..=50).map(|x| Ok(f64::from(x * x))).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn values_and_results_are_of_any_type_that_has_a_json_form() {
    let (pando, _folder) = local("export default ({ word, times }) => [word.repeat(times), null]");
    #[derive(serde::Serialize)]
    struct Repetition {
        word: &'static str,
        times: u8,
    }
    let jobs =
        stream::iter([Repetition { word: "la", times: 3 }, Repetition { word: "é\n", times: 1 }]);
    let results = pando.map::<(String, Option<u8>), _>(jobs).await.expect("a run");
    let results: Vec<_> = results.collect().await;
    assert_eq!(results, [Ok(("lalala".into(), None)), Ok(("é\n".into(), None))]);
}

#[tokio::test]
async fn a_program_takes_the_place_of_a_function() {
    for command in ["while read -r x; do echo $((x + 1)); done", "expr {} + 1"] {
        let pando = Pando::exec(command).cores(1).port(0);
        let results = all(pando.messages(std::io::sink()), stream::iter([1, 41])).await;
        assert_eq!(results, [Ok(2.0), Ok(42.0)], "{command}");
    }
    let refused = Pando::exec("echo `cat {}`").map::<f64, _>(stream::iter([1])).await;
    assert!(refused.is_err_and(|why| why.to_string().contains("backquotes")));
}

#[tokio::test]
async fn an_endless_stream_is_read_no_further_than_the_window() {
    let (pando, _folder) = local(SQUARE);
    let (values, taken) = counted();
    let mut squares = pando.window(5).map::<u64, _>(values).await.expect("a run");
    for x in 1..=200 {
        assert_eq!(squares.next().await, Some(Ok(x * x)));
        let taken = taken.load(Ordering::SeqCst);
        assert!((x..=x + 5).contains(&taken), "{taken} values were taken for {x} results");
    }
}

#[tokio::test]
async fn the_stream_of_values_is_polled_when_a_core_asks() {
    let (pando, _folder) = written(SQUARE);
    let (messages, said) = MessageSender::new();
    let (values, taken) = counted();
    let results = pando.cores(0).port(0).messages(messages).map::<u64, _>(values).await;
    let results = results.expect("a run");
    let run = tokio::spawn(results.take(2).collect::<Vec<_>>());
    let given = tokio::task::spawn_blocking(move || {
        let url = url(&said);
        assert_eq!(taken.load(Ordering::SeqCst), 0, "nobody has asked");
        let mut volunteer = WebSocket::join(&url, "phone", 1);
        let mut given = Vec::new();
        while given.len() < 2 {
            if let Received::Binary(frame) = volunteer.receive() {
                let Ok(Binary::Values(values)) = Binary::decode(frame.into()) else {
                    panic!("values are expected")
                };
                given.extend(values.into_iter().map(|(_, value)| value.bytes));
            }
        }
        // The volunteer holds enough values for one core, and asks for no more.
        assert_eq!(taken.load(Ordering::SeqCst), 2);
        given
    });
    assert_eq!(given.await.expect("the volunteer is served"), ["1", "2"]);
    run.abort();
}

#[tokio::test]
async fn dropping_the_results_ends_the_run_its_children_and_the_input() {
    let (pando, _folder) =
        written("module.exports['/pando/1.0.0'] = (x, cb) => cb(null, globalThis.process.pid)");
    let (messages, said) = MessageSender::new();
    let (alive, dropped) = tokio::sync::oneshot::channel::<()>();
    let values = stream::repeat_with(move || u64::from(alive.is_closed()));
    let pids = pando.cores(1).port(0).messages(messages).map::<u32, _>(values).await;
    let mut pids = pids.expect("a run");
    let pid = pids.next().await.expect("a result").expect("a process");
    let url = tokio::task::spawn_blocking(move || url(&said)).await.expect("it is said");
    let address = url.split('/').nth(2).expect("an address").to_owned();
    assert!(!has_ended(pid) && TcpStream::connect(&address).is_ok());
    drop(pids);
    assert!(dropped.await.is_err(), "the stream of values is dropped");
    while !has_ended(pid) || TcpStream::connect(&address).is_ok() {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}

#[tokio::test]
async fn an_error_of_the_input_comes_after_the_results_before_it() {
    let (pando, _folder) = local(SQUARE);
    let values = stream::iter([Ok(1), Ok(2), Err("the disk is on fire"), Ok(4)]);
    let results = pando.try_map::<f64, _, _, _>(values).await.expect("a run");
    let results: Vec<_> = results.collect().await;
    assert_eq!(results, [Ok(1.0), Ok(4.0), Err(Error::Input("the disk is on fire".into()))]);
}

#[tokio::test]
async fn a_value_without_a_json_form_is_an_error_of_the_input() {
    let (pando, _folder) = local(SQUARE);
    let odd = std::collections::HashMap::from([((1, 2), 3)]);
    let results = all(pando, stream::iter([odd])).await;
    assert!(
        matches!(&results[..], [Err(Error::Input(why))] if why.contains("no JSON form: key must be a string")),
        "{results:?}"
    );
}

#[tokio::test]
async fn what_cannot_run_is_an_error_of_opening_it() {
    let (pando, _folder) = written("module.exports['/pando/1.0.0'] = (x, cb =>");
    let why = refusal(pando.local(true)).await;
    assert!(why.contains("f.js:1:"), "{why}");
    let taken = std::net::TcpListener::bind("0.0.0.0:0").expect("a port");
    let port = taken.local_addr().expect("its address").port();
    let (pando, _folder) = written(SQUARE);
    let why = refusal(pando.port(port)).await;
    assert!(why.contains(&format!("port {port}")), "{why}");
}

#[tokio::test]
async fn a_failed_value_ends_the_stream_or_stands_in_its_place() {
    const F: &str = "module.exports['/pando/1.0.0'] = (x, cb) => x === 2 ? cb(new Error('not two')) : cb(null, x)";
    let run = |retries, on_error| async move {
        let (pando, _folder) = local(F);
        let pando = pando.retries(retries).on_error(on_error).messages(std::io::sink());
        all(pando, stream::iter(1..=3)).await
    };
    let failed = |result: &Result<f64, Error>| match result {
        Err(Error::Failed { index: 2, text }) => {
            text.contains("not two") && text.contains("its input: 2")
        }
        _ => false,
    };
    let stopped = run(0, OnError::Stop).await;
    assert!(stopped.len() == 2 && stopped[0] == Ok(1.0) && failed(&stopped[1]), "{stopped:?}");
    let told = run(0, OnError::Report).await;
    assert!(told.len() == 3 && failed(&told[1]) && told[2] == Ok(3.0), "{told:?}");
    let skipped = run(1, OnError::Skip).await;
    assert_eq!(skipped, [Ok(1.0), Ok(3.0), Err(Error::LeftOut(1))]);
}

#[tokio::test]
async fn a_result_of_another_type_is_an_error_in_its_place() {
    let (pando, _folder) = local("export default x => x === 1 ? 'one' : x");
    let results = all(pando, stream::iter(1..=2)).await;
    assert!(matches!(&results[..], [Err(Error::Result { index: 1, .. }), Ok(2.0)]), "{results:?}");
}

#[tokio::test]
async fn wrong_options_are_told_in_words() {
    let of_command_line = "values come from this program";
    for (options, why) in [
        (&["--cores", "many"][..], "invalid value 'many' for '--cores <N>'"),
        (&["--local", "--cores", "0"], "leave one of the two out"),
        (&["--local", "--port", "0"], "--local cannot be used with --port"),
        (&["--stdin"], of_command_line),
        (&["--sync-stdio"], of_command_line),
        (&["--journal", "journal"], of_command_line),
        (&["3"], of_command_line),
    ] {
        let (pando, _folder) = written(SQUARE);
        let told = refusal(pando.options(options)).await;
        assert!(told.contains(why), "{options:?}: {told}");
    }
}

#[tokio::test]
async fn wrong_values_of_methods_are_told_in_words() {
    type Wrong = fn(Pando) -> Pando;
    let wrong: [(Wrong, &str); 7] = [
        (|pando| pando.token("a/b"), "--token"),
        (|pando| pando.window(0), "--window"),
        (|pando| pando.concurrency(20_000), "--concurrency"),
        (|pando| pando.batch_size(0), "--batch-size"),
        (|pando| pando.timeout(Duration::ZERO), "must be at least 1ms"),
        (|pando| pando.relay("ftp://example.org", "secret"), "is not http or https"),
        (|pando| pando.port(5060), "browsers refuse to connect to port 5060"),
    ];
    for (wrong, why) in wrong {
        let (pando, _folder) = written(SQUARE);
        let told = refusal(wrong(pando)).await;
        assert!(told.contains(why), "{told}");
    }
}

#[tokio::test]
async fn of_an_option_that_is_set_twice_the_last_value_counts() {
    let (pando, _folder) = local(
        "export default (x, { attempt }) => { if (attempt < 3) throw new Error('not yet'); return x }",
    );
    let pando = pando.retries(0).options(["--retries", "7", "--quiet"]).retries(2).quiet(true);
    assert_eq!(all(pando.messages(std::io::sink()), stream::iter([7])).await, [Ok(7.0)]);
}

#[tokio::test]
async fn a_run_without_a_server_has_no_monitoring_page() {
    let (pando, _folder) = local(SQUARE);
    let (messages, said) = MessageSender::new();
    assert_eq!(all(pando.messages(messages), stream::iter([2])).await, [Ok(4.0)]);
    assert!(said.try_iter().all(|line| !line.contains("monitoring")));
}

#[test]
fn without_a_runtime_it_says_so() {
    let (pando, _folder) = local(SQUARE);
    let mut opening = Box::pin(pando.map::<f64, _>(stream::iter([1])));
    let context = &mut std::task::Context::from_waker(std::task::Waker::noop());
    let std::task::Poll::Ready(Err(error)) = opening.as_mut().poll(context) else {
        panic!("an error is expected")
    };
    assert!(error.to_string().contains("no tokio runtime"), "{error}");
}

/// Sends the messages of a run to a channel.
struct MessageSender(mpsc::Sender<String>);

impl MessageSender {
    fn new() -> (Self, mpsc::Receiver<String>) {
        let (lines, said) = mpsc::channel();
        (Self(lines), said)
    }
}

impl std::io::Write for MessageSender {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let _ = self.0.send(String::from_utf8_lossy(bytes).into_owned());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn url(said: &mpsc::Receiver<String>) -> String {
    loop {
        let line = said.recv_timeout(pando_testing::DEADLINE).expect("it says where");
        if let Some(at) = line.find("http://127.0.0.1:") {
            return line[at..].trim().to_owned();
        }
    }
}

#[tokio::test]
async fn a_function_may_be_given_by_its_code_with_variables_and_assets() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("five.txt"), "5").expect("a file");
    let code = "async (x, { env, asset }) => x * env.FACTOR + (await asset('five.txt')).length";
    let pando = Pando::eval(code).env("FACTOR", "10").assets(folder.path()).local(true).cores(1);
    let results = all(pando, stream::iter([1, 2])).await;
    assert_eq!(results.into_iter().map(Result::unwrap).collect::<Vec<_>>(), [11.0, 21.0]);
    let refused = refusal(Pando::eval("x =>").local(true)).await;
    assert!(refused.contains("-e:1:") && refused.contains("syntax error"), "{refused}");
}
