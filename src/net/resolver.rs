//! Which addresses a client may reach. A name is resolved once, its addresses are checked, and the
//! connection goes to one of these: what is checked is what is connected to.

use std::{
    error::Error,
    io,
    net::{IpAddr, SocketAddr},
    sync::Arc,
};

use futures_util::future::BoxFuture;
use reqwest::{
    Url,
    dns::{Addrs, Name, Resolve, Resolving},
};

use crate::{config::Network, domain::is_public};

/// What may be reached besides the public internet.
#[derive(Clone, Debug)]
pub enum Reach {
    /// These networks.
    Networks(Arc<[Network]>),
    /// Every address. Only for a target that the operator named, with no argument in its address.
    Anywhere,
}

impl Reach {
    pub fn networks(networks: &[Network]) -> Self {
        Self::Networks(networks.into())
    }

    pub fn allows(&self, address: IpAddr) -> bool {
        match self {
            Self::Networks(networks) => {
                is_public(address) || networks.iter().any(|network| network.contains(address))
            }
            Self::Anywhere => true,
        }
    }

    /// False for an address in the host of `url` that is out of reach. A name is checked when it is
    /// resolved. The parser of URLs has read octal, hexadecimal and short forms already.
    pub fn allows_host(&self, url: &Url) -> bool {
        let host = url.host_str().unwrap_or_default();
        host.trim_matches(['[', ']']).parse().map_or(!host.is_empty(), |ip| self.allows(ip))
    }
}

/// A target is out of reach.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("the target has an address that is not allowed")]
pub(super) struct OutOfReach;

/// Looks a name up.
pub(super) type Lookup =
    Arc<dyn Fn(String) -> BoxFuture<'static, io::Result<Vec<SocketAddr>>> + Send + Sync>;

/// As the system does it.
pub(super) fn system() -> Lookup {
    Arc::new(|name| {
        Box::pin(async move { Ok(tokio::net::lookup_host((name, 0)).await?.collect()) })
    })
}

/// Returns the addresses of a name if all of them are within reach.
pub(super) struct Guarded {
    pub reach: Reach,
    pub lookup: Lookup,
}

impl Resolve for Guarded {
    fn resolve(&self, name: Name) -> Resolving {
        let (reach, found) = (self.reach.clone(), (self.lookup)(name.as_str().to_owned()));
        Box::pin(async move {
            let found = found.await?;
            // One private address among public ones is an attack or a mistake.
            if !found.iter().all(|address| reach.allows(address.ip())) {
                return Err(Box::new(OutOfReach) as Box<dyn Error + Send + Sync>);
            }
            Ok(Box::new(found.into_iter()) as Addrs)
        })
    }
}
