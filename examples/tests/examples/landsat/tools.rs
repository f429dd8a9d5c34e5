//! The small programs around the function.

use std::{
    fs,
    io::{Read, Write},
    net::TcpStream,
};

use pando_testing::until;

use super::{ARRIVED, SAMPLE, SCENES, SHEET, SamplePictures, pictures::read_png, serve, text};
use crate::program::{leave_early, run};

const LIST: &str = "\
productId,entityId,acquisitionDate,cloudCover,processingLevel,path,row,min_lat,min_lon,max_lat,max_lon,download_url
LC08_L1TP_149039_20170411_20170415_01_T1,LC81490392017101LGN00,2017-04-11 05:36:29.349932,0.0,L1TP,149,39,29.22165,72.41205,31.34742,74.84666,https://pictures.example/c1/L8/149/039/LC08_L1TP_149039_20170411_20170415_01_T1/index.html
LC08_L1TP_012001_20170411_20170415_01_T1,LC80120012017101LGN00,2017-04-11 15:14:40.001201,0.15,L1TP,12,1,79.51504,-22.06995,81.90314,-7.44339,https://pictures.example/c1/L8/012/001/LC08_L1TP_012001_20170411_20170415_01_T1/index.html
LC08_L1GT_012005_20170512_20170515_01_T2,LC80120052017132LGN00,2017-05-12 15:16:10.220000,38.0,L1GT,12,5,74.0,-40.0,76.0,-30.0,https://pictures.example/c1/L8/012/005/LC08_L1GT_012005_20170512_20170515_01_T2/index.html
LC08_L1TP_012006_20170512_20170515_01_T2,LC80120062017132LGN00,2017-05-12 15:16:30.220000,-1.0,L1TP,12,6,73.0,-41.0,75.0,-31.0,https://pictures.example/c1/L8/012/006/LC08_L1TP_012006_20170512_20170515_01_T2/index.html
";

/// The rows of the scenes that pass the filters.
fn rows(options: &[&str]) -> Vec<u64> {
    let lines = run(SCENES, options, LIST.as_bytes()).lines();
    lines
        .iter()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["row"]
                .as_u64()
                .expect("a row")
        })
        .collect()
}

#[test]
fn scenes_pass_every_filter_given() {
    assert_eq!(rows(&[]), [39, 1, 5, 6]);
    assert_eq!(rows(&["--limit", "2"]), [39, 1]);
    assert_eq!(rows(&["--cloud", "0.15"]), [39, 1], "an unknown cover is none that passes");
    assert_eq!(rows(&["--path", "12", "--row", "5"]), [5]);
    assert_eq!(rows(&["--level", "L1TP"]), [39, 1, 6]);
    assert_eq!(rows(&["--since", "2017-04-12"]), [5, 6]);
    assert_eq!(rows(&["--until", "2017-04-11", "--path", "12"]), [1]);
    assert_eq!(rows(&["--box", "-35,74.5,-10,80"]), [1, 5, 6]);
    assert_eq!(rows(&["--box", "73,30,73,30"]), [39]);
}

#[test]
fn a_scene_tells_its_picture_and_where_its_result_goes() {
    let base = "https://pictures.example/";
    let line = run(
        SCENES,
        &["--limit", "1", "--base", base, "--upload", "http://here/results/"],
        LIST.as_bytes(),
    )
    .lines()
    .remove(0);
    let scene: serde_json::Value = serde_json::from_str(&line).expect("JSON");
    let file = "c1/L8/149/039/LC08_L1TP_149039_20170411_20170415_01_T1/LC08_L1TP_149039_20170411_20170415_01_T1_thumb_large.jpg";
    let expected = serde_json::json!({
        "id": "LC08_L1TP_149039_20170411_20170415_01_T1", "acquisitionDate": "2017-04-11 05:36:29.349932", "cloudCover": 0.0,
        "processingLevel": "L1TP", "path": 149, "row": 39, "area": [72.41205, 29.22165, 74.84666, 31.34742],
        "picture": format!("{base}{file}"), "file": file, "upload": "http://here/results/"
    });
    assert_eq!(scene, expected);
    assert_eq!(
        run(SCENES, &["--limit", "1", "--base", base, "--print", "name"], LIST.as_bytes()).lines(),
        [file]
    );
    let band =
        run(SCENES, &["--limit", "1", "--picture", "B4.TIF", "--print", "url"], LIST.as_bytes())
            .lines();
    assert_eq!(band, [format!("{base}{}", file.replace("thumb_large.jpg", "B4.TIF"))]);
}

#[test]
fn older_lists_have_no_products() {
    let list = "\
entityId,acquisitionDate,cloudCover,processingLevel,path,row,min_lat,min_lon,max_lat,max_lon,download_url
LC80101172015002LGN00,2015-01-02 15:49:05.571384,80.81,L1GT,10,117,-79.09923,-139.66082,-77.7544,-125.09297,https://pictures.example/L8/010/117/LC80101172015002LGN00/index.html
";
    let url = run(SCENES, &["--print", "url"], list.as_bytes()).lines();
    assert_eq!(
        url,
        [
            "https://pictures.example/L8/010/117/LC80101172015002LGN00/LC80101172015002LGN00_thumb_large.jpg"
        ]
    );
}

#[test]
fn what_is_no_scene_is_told_with_its_line() {
    let output = run(SCENES, &[], format!("{LIST}1,2,3\n").as_bytes());
    assert_eq!(
        (output.status, output.stdout.iter().filter(|byte| **byte == b'\n').count()),
        (Some(1), 4)
    );
    assert!(
        output.stderr.starts_with("landsat-scenes: line 6 of the scene list: "),
        "{}",
        output.stderr
    );
    let output = run(SCENES, &["--base", "http://elsewhere/"], LIST.as_bytes());
    assert!(output.stderr.contains("does not lie below http://elsewhere/"), "{}", output.stderr);
    for wrong in [["--box", "1,2,3"], ["--since", "4/11/2017"], ["--box", "3,0,1,0"]] {
        assert_eq!(run(SCENES, &wrong, b"").status, Some(2), "{wrong:?}");
    }
    assert_eq!(leave_early(SCENES, &[], LIST.as_bytes()).status, Some(0));
}

#[test]
fn samples_are_the_same_every_time_and_their_list_is_read() {
    let (one, other) = (SamplePictures::new(3), SamplePictures::new(3));
    let pictures: Vec<Vec<u8>> =
        one.pairs().iter().map(|(picture, _)| fs::read(picture).expect("a picture")).collect();
    let others: Vec<Vec<u8>> =
        other.pairs().iter().map(|(picture, _)| fs::read(picture).expect("a picture")).collect();
    assert!(pictures == others && pictures[0] != pictures[1]);
    assert_eq!(run(SAMPLE, &[text(&one.pictures()), "--size", "0"], b"").status, Some(2));
}

/// Sends a request whose head ends with an empty line. Returns the head and the body of the
/// answer.
fn ask(url: &str, head: &str, body: &[u8]) -> (String, Vec<u8>) {
    let host = url.trim_start_matches("http://").trim_end_matches('/');
    let mut socket = TcpStream::connect(host).expect("the server listens");
    write!(socket, "{head} HTTP/1.1\r\nHost: {host}\r\nOrigin: http://192.168.1.2:5000\r\nConnection: close\r\n").expect("sent");
    write!(socket, "Content-Length: {}\r\n", body.len()).expect("sent");
    write!(
        socket,
        "Access-Control-Request-Method: PUT\r\nAccess-Control-Request-Headers: content-type\r\n\r\n"
    )
    .expect("sent");
    socket.write_all(body).expect("sent");
    let mut answer = Vec::new();
    socket.read_to_end(&mut answer).expect("an answer");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    (String::from_utf8_lossy(&answer[..end]).to_lowercase(), answer[end + 4..].to_vec())
}

#[test]
fn the_server_serves_pictures_and_takes_results_for_pages_of_any_site() {
    let sample = SamplePictures::new(1);
    let (_server, url) = serve(&sample);
    let (picture, _) = sample.pairs().remove(0);
    let path = sample.scenes("/pictures/", &["--print", "url"]).remove(0);
    let (head, body) = ask(&url, &format!("GET {path}"), b"");
    assert!(
        head.starts_with("http/1.1 200") && head.contains("access-control-allow-origin: *"),
        "{head}"
    );
    assert_eq!(body, fs::read(picture).expect("a picture"));

    let (head, _) = ask(&url, "OPTIONS /results/a.png", b"");
    assert!(
        head.contains("access-control-allow-methods: get,put") && head.contains("content-type"),
        "{head}"
    );
    let (head, body) = ask(&url, "PUT /results/a.png", b"abc");
    assert!(head.starts_with("http/1.1 201"), "{head}");
    let result = r#"{"name":"a.png","bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"}"#;
    assert_eq!(String::from_utf8_lossy(&body), result);
    assert_eq!(ask(&url, "GET /results/a.png", b"").1, b"abc");
    assert_eq!(run(ARRIVED, &[text(&sample.results())], result.as_bytes()).status, Some(0));
}

#[test]
fn the_server_writes_nowhere_else_and_nothing_that_is_not_whole() {
    let sample = SamplePictures::new(1);
    let (_server, url) = serve(&sample);
    fs::write(sample.folder.path().join("secret"), "x").expect("written");
    for name in [".hidden", "..", "../a", "%2e%2e%2fa", "a%2fb", "a%00", "a%5cb", "-"] {
        let (head, _) = ask(&url, &format!("PUT /results/{name}"), b"abc");
        assert!(
            ["400", "404", "405"]
                .iter()
                .any(|status| head.starts_with(&format!("http/1.1 {status}"))),
            "{name}: {head}"
        );
    }
    for path in
        ["/pictures/../secret", "/pictures/%2e%2e/secret", "/results/%2e%2e%2fsecret", "/secret"]
    {
        assert!(!ask(&url, &format!("GET {path}"), b"").0.starts_with("http/1.1 200"), "{path}");
    }
    let mut socket = TcpStream::connect(url.trim_start_matches("http://").trim_end_matches('/'))
        .expect("the server listens");
    write!(
        socket,
        "PUT /results/half HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\nhalf of it"
    )
    .expect("sent");
    let names = || {
        fs::read_dir(sample.results())
            .expect("a folder")
            .map(|entry| entry.expect("an entry").file_name())
            .collect::<Vec<_>>()
    };
    until("it has begun", || {
        names().iter().any(|name| name.to_string_lossy().ends_with(".part")).then_some(())
    });
    drop(socket);
    until("nothing of it is left", || names().is_empty().then_some(()));
}

#[test]
fn a_result_has_arrived_when_its_file_has_its_length_and_hash() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let arrived =
        |result: &str| run(ARRIVED, &[text(folder.path()), "--patience", "0"], result.as_bytes());
    let result = r#"{"name":"a","bytes":3,"sha256":"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad","more":1}"#;
    assert_eq!(arrived(result).stderr, "landsat-arrived: a has not arrived within 0ns\n");
    fs::write(folder.path().join("a"), "abd").expect("written");
    assert!(arrived(result).stderr.contains("is another file than the one announced"));
    fs::write(folder.path().join("a"), "abc").expect("written");
    assert_eq!(arrived(result).status, Some(0));
    assert!(
        arrived(&result.replace("\"a\"", "\"../a\""))
            .stderr
            .contains("is not the name of a result")
    );
    assert!(arrived("{}").stderr.contains("this is not a result"));
}

#[test]
fn the_sheet_has_all_pictures_in_rows() {
    let folder = tempfile::tempdir().expect("the temporary folder can be written");
    let mut lines = Vec::new();
    for (index, color) in [[250, 0, 0], [0, 250, 0], [0, 0, 250]].into_iter().enumerate() {
        let mut bytes = Vec::new();
        let mut encoder = png::Encoder::new(&mut bytes, 30, 20);
        encoder.set_color(png::ColorType::Rgb);
        encoder
            .write_header()
            .expect("memory")
            .write_image_data(&color.repeat(600))
            .expect("memory");
        fs::write(folder.path().join(format!("{index}.png")), bytes).expect("written");
        lines.push(format!("{{\"name\":\"{index}.png\",\"bytes\":1,\"sha256\":\"\"}}\n"));
    }
    lines[1] = "1.png\n".to_owned();
    let output = run(
        SHEET,
        &["--results", text(folder.path()), "--size", "4", "--columns", "2"],
        lines.concat().as_bytes(),
    );
    let sheet = read_png(&*output.success());
    assert_eq!((sheet.width, sheet.height), (8, 8));
    let pixel = |x: usize, y: usize| &sheet.pixels[(y * 8 + x) * 3..][..3];
    assert_eq!(
        [pixel(0, 0), pixel(7, 3), pixel(3, 7), pixel(4, 4)],
        [&[250, 0, 0], &[0, 250, 0], &[0, 0, 250], &[0; 3]]
    );
    assert_eq!(run(SHEET, &[], b"").stderr, "landsat-sheet: no results on standard input\n");
}
