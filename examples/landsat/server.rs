//! Serves pictures and accepts results over HTTP, for pages of any site.

use std::{
    fs::{self, File},
    io::{self, Write},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use anyhow::Context;
use axum::{
    Json, Router,
    body::Body,
    extract::{DefaultBodyLimit, Path as Named, State},
    http::{Method, StatusCode, header::CONTENT_TYPE},
    routing::put,
};
use clap::Parser;
use futures_util::StreamExt;
use pando_examples::results::{Received, hex, is_plain};
use sha2::{Digest, Sha256};
use tokio::net::TcpListener;
use tower_http::{
    cors::{Any, CorsLayer},
    limit::RequestBodyLimitLayer,
    services::ServeDir,
};

/// Serve pictures at /pictures/ and accept results, put to /results/NAME, over HTTP.
#[derive(Parser)]
#[command(name = "landsat-server", version)]
struct Options {
    /// Folder of the pictures
    #[arg(long, value_name = "DIR")]
    pictures: PathBuf,

    /// Folder of the results
    #[arg(long, value_name = "DIR")]
    results: PathBuf,

    /// Address to listen on
    #[arg(long, default_value = "0.0.0.0", value_name = "ADDR")]
    bind: IpAddr,

    /// Port to listen on (0: any)
    #[arg(long, default_value_t = 8600)]
    port: u16,

    /// Limit for a result, in megabytes
    #[arg(long, default_value_t = 256, value_name = "MB")]
    longest: usize,
}

fn main() -> ExitCode {
    let options = Options::parse();
    pando_examples::run("landsat-server", || serve(options))
}

#[tokio::main(flavor = "current_thread")]
async fn serve(options: Options) -> anyhow::Result<()> {
    fs::create_dir_all(&options.results)
        .with_context(|| format!("{} cannot be made", options.results.display()))?;
    let address = SocketAddr::new(options.bind, options.port);
    let listener = TcpListener::bind(address)
        .await
        .with_context(|| format!("{address} cannot be listened on"))?;
    eprintln!("Serving pictures at http://{}/pictures/", listener.local_addr()?);
    let anyone = CorsLayer::new()
        .allow_origin(Any)
        .allow_methods([Method::GET, Method::PUT])
        .allow_headers([CONTENT_TYPE]);
    let results: Arc<Path> = options.results.into();
    let app = Router::new()
        .nest_service("/pictures", ServeDir::new(options.pictures))
        .nest(
            "/results",
            Router::new().route("/{name}", put(take).get_service(ServeDir::new(&results))),
        )
        .with_state(results)
        .layer(DefaultBodyLimit::disable())
        .layer(RequestBodyLimitLayer::new(options.longest * 1_000_000))
        .layer(anyone);
    Ok(axum::serve(listener, app).await?)
}

/// Stores a result. The file gets its final name only after the whole body has arrived.
async fn take(
    State(results): State<Arc<Path>>,
    Named(name): Named<String>,
    body: Body,
) -> Result<(StatusCode, Json<Received>), (StatusCode, String)> {
    if !is_plain(&name) {
        return Err((
            StatusCode::BAD_REQUEST,
            "a name has letters, digits, `.`, `_` and `-`, and a letter or digit first".into(),
        ));
    }
    let mut part = Part::create(&results).map_err(broken)?;
    let mut body = body.into_data_stream();
    while let Some(piece) = body.next().await {
        let piece = piece.map_err(|error| {
            (StatusCode::BAD_REQUEST, format!("it did not arrive whole: {error}"))
        })?;
        part.write(&piece).map_err(broken)?;
    }
    let received = part.finish(&results, name).map_err(broken)?;
    Ok((StatusCode::CREATED, Json(received)))
}

fn broken(error: io::Error) -> (StatusCode, String) {
    eprintln!("landsat-server: a result cannot be written: {error}");
    (StatusCode::INSUFFICIENT_STORAGE, error.to_string())
}

/// The part of a result that has arrived, in a temporary file. Dropping this removes the file.
struct Part {
    file: File,
    path: PathBuf,
    hash: Sha256,
    bytes: u64,
}

impl Part {
    fn create(folder: &Path) -> io::Result<Self> {
        static PARTS: AtomicU64 = AtomicU64::new(0);
        let path = folder.join(format!(
            ".{}.{}.part",
            std::process::id(),
            PARTS.fetch_add(1, Ordering::Relaxed)
        ));
        Ok(Self { file: File::create_new(&path)?, path, hash: Sha256::new(), bytes: 0 })
    }

    fn write(&mut self, piece: &[u8]) -> io::Result<()> {
        self.hash.update(piece);
        self.bytes += piece.len() as u64;
        self.file.write_all(piece)
    }

    fn finish(self, folder: &Path, name: String) -> io::Result<Received> {
        fs::rename(&self.path, folder.join(&name))?;
        Ok(Received { name, bytes: self.bytes, sha256: hex(self.hash.clone().finalize()) })
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Fails if the file already has its final name.
        let _ = fs::remove_file(&self.path);
    }
}
