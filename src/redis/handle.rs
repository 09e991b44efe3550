//! A connection to a server or to a cluster, with the same commands.

use std::ops::{Deref, DerefMut};

use deadpool_redis::redis::{
    Cmd, Pipeline, RedisFuture, Value,
    aio::{ConnectionLike, MultiplexedConnection},
    cluster_async::ClusterConnection,
};

/// Clones share the connection, and concurrent commands are pipelined.
#[derive(Clone)]
pub enum Handle {
    Server(MultiplexedConnection),
    Cluster(ClusterConnection),
}

macro_rules! on_either {
    ($self:expr, $connection:ident => $call:expr) => {
        match $self {
            Handle::Server($connection) => $call,
            Handle::Cluster($connection) => $call,
        }
    };
}

impl ConnectionLike for Handle {
    fn req_packed_command<'a>(&'a mut self, command: &'a Cmd) -> RedisFuture<'a, Value> {
        on_either!(self, connection => connection.req_packed_command(command))
    }

    fn req_packed_commands<'a>(
        &'a mut self,
        commands: &'a Pipeline,
        offset: usize,
        count: usize,
    ) -> RedisFuture<'a, Vec<Value>> {
        on_either!(self, connection => connection.req_packed_commands(commands, offset, count))
    }

    fn get_db(&self) -> i64 {
        on_either!(self, connection => connection.get_db())
    }
}

/// A handle with its permit of the pool, if there is a pool. Dropping it returns the permit.
pub struct Connection {
    handle: Handle,
    _place: Option<deadpool_redis::Connection>,
}

impl Connection {
    pub(super) fn pooled(place: deadpool_redis::Connection) -> Self {
        Self { handle: Handle::Server((*place).clone()), _place: Some(place) }
    }
}

impl From<Handle> for Connection {
    fn from(handle: Handle) -> Self {
        Self { handle, _place: None }
    }
}

impl Deref for Connection {
    type Target = Handle;

    fn deref(&self) -> &Handle {
        &self.handle
    }
}

impl DerefMut for Connection {
    fn deref_mut(&mut self) -> &mut Handle {
        &mut self.handle
    }
}
