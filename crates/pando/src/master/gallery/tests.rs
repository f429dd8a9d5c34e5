use super::*;
use std::{
    future::Future,
    pin::pin,
    task::{Context, Poll, Waker},
};

/// The answer of a future that is ready now.
fn now<T>(future: impl Future<Output = T>) -> Option<T> {
    match pin!(future).poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(answer) => Some(answer),
        Poll::Pending => None,
    }
}

fn result(index: Index, form: Form, bytes: impl Into<Bytes>) -> ShownResult {
    ShownResult { index, device: 3, form, bytes: bytes.into() }
}

fn items(seen: Option<GalleryNews>) -> (u64, Vec<u64>) {
    let Some(GalleryNews::Results(missed, results)) = seen else { panic!("no results: {seen:?}") };
    let item =
        |text: &Arc<str>| serde_json::from_str::<Value>(text).unwrap()["item"].as_u64().unwrap();
    (missed, results.iter().map(item).collect())
}

#[test]
fn results_are_kept_only_while_somebody_looks() {
    let gallery = Arc::new(Gallery::default());
    assert!(!gallery.has_visitors());
    gallery.show(vec![result(0, Form::Text, "before")]);
    let mut visit = GalleryVisit::new(gallery.clone());
    assert_eq!(items(now(visit.next())), (0, vec![1]));
    assert_eq!(now(visit.next()), None);
    gallery.show(vec![result(1, Form::Text, "a"), result(2, Form::Text, "b")]);
    assert_eq!(items(now(visit.next())), (0, vec![2, 3]));
    let mut other = GalleryVisit::new(gallery.clone());
    assert_eq!(items(now(other.next())), (0, vec![1, 2, 3]), "they were kept for the first");
    drop((visit, other));
    assert!(!gallery.has_visitors() && gallery.lock().results.is_empty());
    let mut visit = GalleryVisit::new(gallery.clone());
    assert_eq!(now(visit.next()), None);
    gallery.close();
    assert_eq!(now(visit.next()), Some(GalleryNews::End));
}

#[test]
fn who_looks_slowly_misses_results_and_costs_no_memory() {
    let gallery = Arc::new(Gallery::default());
    let mut visit = GalleryVisit::new(gallery.clone());
    let picture = [b"\x89PNG".as_slice(), &[0; 700_000]].concat();
    for index in 0..40 {
        gallery.show(vec![result(index, Form::Bytes, picture.clone())]);
    }
    assert!(gallery.lock().bytes <= MOST_BYTES);
    let (missed, first) = items(now(visit.next()));
    assert!(missed > 20 && first == [missed + 1], "{missed}, {first:?}");
    let mut seen = missed + 1;
    while let Some(more) = now(visit.next()) {
        let (missed, items) = items(Some(more));
        assert_eq!(missed, 0);
        seen += items.len() as u64;
    }
    assert_eq!(seen, 40);
}

#[test]
fn numbers_pictures_and_texts_are_told_apart() {
    let content = |form, bytes: &[u8]| result(0, form, bytes.to_vec()).content();
    assert_eq!(content(Form::Text, b"-1.5e3"), ("number", (-1500.0).into()));
    assert_eq!(content(Form::Json, b"7"), ("number", 7.0.into()));
    assert_eq!(content(Form::Bytes, b"7").0, "text");
    assert_eq!(content(Form::Text, b"NaN").0, "text");
    let long = "\u{e9}".repeat(300);
    assert_eq!(content(Form::Text, long.as_bytes()), ("text", long[..400].into()));
    let png = ("image", Value::from("data:image/png;base64,iVBORw=="));
    assert_eq!(content(Form::Bytes, b"\x89PNG"), png);
    assert_eq!(
        content(Form::Text, b"data:image/gif;base64,AA"),
        ("image", "data:image/gif;base64,AA".into())
    );
    assert_eq!(content(Form::Json, b"\"data:image/gif,A\""), ("image", "data:image/gif,A".into()));
    assert_eq!(content(Form::Bytes, b"RIFF....WEBPVP8 ").0, "image");
    assert_eq!(content(Form::Text, b"<svg xmlns='http://www.w3.org/2000/svg'/>").0, "image");
    let large = [b"\x89PNG".as_slice(), &vec![0; LONGEST_IMAGE]].concat();
    assert_eq!(content(Form::Bytes, &large).0, "text");
}
