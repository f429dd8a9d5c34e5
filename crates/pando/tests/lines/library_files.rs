//! The files about a run within another Rust program.

use crate::library::local;
use futures_util::{StreamExt, stream};
use pando::{Error, OnError, Pando};
use serde_json::Value;
use std::{fs, path::Path};

const NOT_TWO: &str =
    "export default x => { if (x === 2) throw new Error('not two'); return x * x }";

/// All results of the values 1 to 3.
async fn squares(pando: Pando) -> Vec<Result<u64, Error>> {
    let results = pando.messages(std::io::sink()).map(stream::iter(1..=3)).await;
    results.expect("a run").collect().await
}

fn json(path: &Path) -> Value {
    serde_json::from_slice(&fs::read(path).expect("it is written")).expect("it is JSON")
}

#[tokio::test]
async fn a_run_that_has_ended_has_its_summary_report_and_command() {
    let (pando, folder) = local(NOT_TWO);
    let file = |name: &str| folder.path().join(name);
    let told = format!("cat >'{}'; test $PANDO_STATUS = 1", file("told.json").display());
    let pando = pando.retries(0).on_error(OnError::Skip);
    let pando = pando.summary(file("summary.json")).report(file("report.html")).on_finish(&told);
    assert_eq!(squares(pando).await, [Ok(1), Ok(9), Err(Error::LeftOut(1))]);
    let summary = json(&file("summary.json"));
    assert_eq!((&summary["items"], &summary["status"]), (&3.into(), &1.into()));
    assert_eq!((&summary["failed"], &summary["failedItems"][0]), (&1.into(), &2.into()));
    assert_eq!(json(&file("told.json")), summary);
    let report = fs::read_to_string(file("report.html")).expect("it is written");
    assert!(report.contains("All other items are done; 1 item failed."));
}

#[tokio::test]
async fn a_run_that_fails_has_its_files_too() {
    let (pando, folder) = local(NOT_TWO);
    let (summary, report) = (folder.path().join("summary"), folder.path().join("report"));
    let pando = pando.retries(0).summary(&summary).report(&report);
    let results = squares(pando).await;
    assert!(matches!(&results[..], [Ok(1), Err(Error::Failed { index: 2, .. })]), "{results:?}");
    assert_eq!((&json(&summary)["failed"], &json(&summary)["status"]), (&1.into(), &1.into()));
    assert!(report.is_file());
}

#[tokio::test]
async fn a_program_in_the_loop_has_a_summary() {
    let (pando, folder) = local("export default x => x * x");
    let file = folder.path().join("summary");
    let run = pando.summary(&file).messages(std::io::sink()).feedback::<u64, u64>().await;
    let mut run = run.expect("a run");
    run.give(&4).expect("it has a JSON form");
    run.end();
    while let Some(event) = run.next().await {
        event.expect("nothing fails");
    }
    assert_eq!((&json(&file)["computed"], &json(&file)["status"]), (&1.into(), &0.into()));
}

#[tokio::test]
async fn a_file_that_cannot_be_written_is_an_error() {
    let (pando, folder) = local("export default x => x * x");
    let missing = folder.path().join("nowhere").join("summary");
    let opened = pando.summary(&missing).map::<u64, _>(stream::iter([1])).await;
    let Err(Error::Refused(why)) = opened else { panic!("the run is to be refused: {opened:?}") };
    assert!(why.contains("this folder does not exist"), "{why}");
    // The folder goes away during the run.
    let (pando, folder) = local("export default x => x * x");
    let gone = tempfile::tempdir().expect("a folder");
    let pando = pando.report(gone.path().join("report")).messages(std::io::sink());
    let mut results = pando.map::<u64, _>(stream::iter([3])).await.expect("a run");
    drop(gone);
    assert_eq!(results.next().await, Some(Ok(9)));
    let last = results.next().await;
    assert!(
        matches!(&last, Some(Err(Error::Refused(why))) if why.contains("cannot be written")),
        "{last:?}"
    );
    assert_eq!(results.next().await, None);
    drop(folder);
}
