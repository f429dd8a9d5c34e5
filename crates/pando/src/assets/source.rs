//! Where the assets for devices come from.

use super::{Asset, Assets, NoAsset, kind_of};
use pando_join::RemoteAssets;
use std::{path::Path, sync::Arc};
use tokio::task::spawn_blocking;

/// See the module.
#[derive(Debug, Clone)]
pub(crate) enum AssetSource {
    /// The folder of `--assets`.
    Folder(Arc<Assets>),
    /// The run of which a gateway shares the job.
    Run(RemoteAssets),
}

impl AssetSource {
    /// Opens the asset `name`. A file is hashed on a thread of its own, because a disk may be slow.
    pub(super) async fn open(&self, name: &str) -> Result<Asset, NoAsset> {
        match self {
            Self::Folder(assets) => {
                let (assets, name) = (assets.clone(), name.to_owned());
                let opened = spawn_blocking(move || assets.open(&name)).await;
                opened.unwrap_or_else(|_| {
                    Err(NoAsset("it cannot be read because of a bug in Pando".into()))
                })
            }
            Self::Run(assets) => {
                let (remote, file) = assets.open(name).await.map_err(NoAsset)?;
                let (length, hash) = (remote.length, remote.hash.clone());
                let kind = kind_of(Path::new(name));
                Ok(Asset { file, length, hash, kind, remote: Some(remote) })
            }
        }
    }
}
