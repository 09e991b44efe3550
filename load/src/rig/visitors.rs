//! Shoppers of the demo site who have arrived, but have not asked yet.

use anyhow::anyhow;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use crate::replay::{Api, Visitor};

const AT_ONCE: usize = 16;

/// New visitors of the demo site.
///
/// # Errors
/// When the server refuses one.
pub async fn visitors(api: &Api, count: usize) -> anyhow::Result<Vec<Visitor>> {
    stream::iter(0..count)
        .map(|_| async {
            api.visitor("pk_demo").await.map_err(|failed| anyhow!("no visitor: {failed:?}"))
        })
        .buffer_unordered(AT_ONCE)
        .try_collect()
        .await
}
