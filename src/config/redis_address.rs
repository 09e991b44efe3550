//! The formats of `store.redis_url`: one server, a cluster, or sentinels that know the master.

use deadpool_redis::redis::{ConnectionInfo, IntoConnectionInfo, RedisConnectionInfo};

const SENTINEL_PORT: &str = "26379";

/// The address of Redis from `store.redis_url`.
#[derive(Clone, Debug)]
pub enum RedisAddress {
    /// `redis://[user:password@]host:6379/0`. With TLS the scheme is `rediss`, here and below.
    Server(ConnectionInfo),
    /// `redis-cluster://[user:password@]host:6379,host:6379`: any nodes of the cluster, which
    /// report the others.
    Cluster(Vec<ConnectionInfo>),
    /// `redis-sentinel://[user:password@]host:26379,host:26379/0[?sentinel_password=…]#master`;
    /// user and password are those of the master.
    Sentinel {
        sentinels: Vec<ConnectionInfo>,
        /// The name of the master in the sentinels.
        name: String,
        master: RedisConnectionInfo,
        tls: bool,
    },
}

/// Why a text is not an address. Never quotes it, because it may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AddressFault {
    #[error(
        "needs redis://host:6379/0, redis-cluster://host:6379,host:6379 \
         or redis-sentinel://host:26379,host:26379/0#master"
    )]
    Scheme,
    #[error("is not a valid URL; write special characters of a password as %40")]
    Unreadable,
    #[error("a cluster has only the database 0")]
    Database,
    #[error("sentinels need the name of the master: redis-sentinel://host:26379/0#master")]
    Master,
}

impl RedisAddress {
    pub fn parse(url: &str) -> Result<Self, AddressFault> {
        let (scheme, rest) = url.split_once("://").ok_or(AddressFault::Scheme)?;
        let (scheme, shape) = split(scheme, '-');
        if !["redis", "rediss"].contains(&scheme) {
            return Err(AddressFault::Scheme);
        }
        match shape {
            None => Ok(Self::Server(info(url)?)),
            Some("cluster") => Self::cluster(&Parts::of(scheme, rest)),
            Some("sentinel") => Self::sentinel(&Parts::of(scheme, rest)),
            Some(_) => Err(AddressFault::Scheme),
        }
    }

    fn cluster(parts: &Parts<'_>) -> Result<Self, AddressFault> {
        let nodes = parts.hosts.split(',').map(|host| info(&parts.server(host)));
        let nodes = nodes.collect::<Result<Vec<_>, _>>()?;
        if nodes.iter().any(|node| node.redis_settings().db() != 0) {
            return Err(AddressFault::Database);
        }
        Ok(Self::Cluster(nodes))
    }

    fn sentinel(parts: &Parts<'_>) -> Result<Self, AddressFault> {
        let name = parts.fragment.filter(|name| !name.is_empty()).ok_or(AddressFault::Master)?;
        let user = match parts.query {
            None => String::new(),
            Some(query) => {
                let password = query.strip_prefix("sentinel_password=");
                format!(":{}@", password.ok_or(AddressFault::Unreadable)?)
            }
        };
        let sentinels = parts.hosts.split(',').map(|host| {
            // The port follows the last colon, unless that colon belongs to an address like [::1].
            let has_port = host.rsplit_once(':').is_some_and(|(_, port)| !port.ends_with(']'));
            let port = if has_port { String::new() } else { format!(":{SENTINEL_PORT}") };
            info(&format!("{}://{user}{host}{port}", parts.scheme))
        });
        Ok(Self::Sentinel {
            sentinels: sentinels.collect::<Result<_, _>>()?,
            name: name.to_owned(),
            master: info(&parts.server("master"))?.redis_settings().clone(),
            tls: parts.scheme == "rediss",
        })
    }
}

/// `[user:password@]hosts[/database][?query][#fragment]`
struct Parts<'a> {
    /// `redis` or `rediss`.
    scheme: &'a str,
    user: &'a str,
    hosts: &'a str,
    database: &'a str,
    query: Option<&'a str>,
    fragment: Option<&'a str>,
}

impl<'a> Parts<'a> {
    fn of(scheme: &'a str, rest: &'a str) -> Self {
        let (rest, fragment) = split(rest, '#');
        let (rest, query) = split(rest, '?');
        let (authority, database) = split(rest, '/');
        let (user, hosts) = authority.rsplit_once('@').unwrap_or(("", authority));
        Self { scheme, user, hosts, database: database.unwrap_or_default(), query, fragment }
    }

    /// The address of one server with this user and database.
    fn server(&self, host: &str) -> String {
        let at = if self.user.is_empty() { "" } else { "@" };
        format!("{}://{}{at}{host}/{}", self.scheme, self.user, self.database)
    }
}

fn split(text: &str, at: char) -> (&str, Option<&str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

fn info(url: &str) -> Result<ConnectionInfo, AddressFault> {
    url.into_connection_info().map_err(|_| AddressFault::Unreadable)
}

#[cfg(test)]
mod tests {
    use deadpool_redis::redis::ConnectionAddr;

    use super::*;

    fn shown(nodes: &[ConnectionInfo]) -> Vec<String> {
        nodes.iter().map(|node| node.addr().to_string()).collect()
    }

    #[test]
    fn one_server_is_an_ordinary_address() {
        let address = RedisAddress::parse("redis://:s%40cret@cache:6380/3").unwrap();
        let RedisAddress::Server(server) = address else { panic!("{address:?}") };
        assert_eq!(server.addr().to_string(), "cache:6380");
        assert_eq!(server.redis_settings().db(), 3);
        assert_eq!(server.redis_settings().password(), Some("s@cret"));
    }

    #[test]
    fn a_cluster_is_a_list_of_nodes_with_one_password() {
        let address = RedisAddress::parse("redis-cluster://shop:pw@a:7000,b,[::1]:7002").unwrap();
        let RedisAddress::Cluster(nodes) = address else { panic!("{address:?}") };
        assert_eq!(shown(&nodes), ["a:7000", "b:6379", "::1:7002"]);
        for node in &nodes {
            assert_eq!(node.redis_settings().username(), Some("shop"));
            assert_eq!(node.redis_settings().password(), Some("pw"));
        }
    }

    #[test]
    fn sentinels_name_a_master_and_have_a_password_of_their_own() {
        let url = "redis-sentinel://:pw@a,b:26380,[::1]/2?sentinel_password=other#shop";
        let address = RedisAddress::parse(url).unwrap();
        let RedisAddress::Sentinel { sentinels, name, master, tls } = address else {
            panic!("{address:?}")
        };
        assert!(!tls);
        assert_eq!(shown(&sentinels), ["a:26379", "b:26380", "::1:26379"]);
        assert_eq!(sentinels[0].redis_settings().password(), Some("other"));
        assert_eq!((name.as_str(), master.db(), master.password()), ("shop", 2, Some("pw")));
    }

    #[test]
    fn all_of_them_speak_tls_where_the_scheme_says_so() {
        let is_tls = |node: &ConnectionInfo| matches!(node.addr(), ConnectionAddr::TcpTls { .. });
        let parse = |url: &str| RedisAddress::parse(url).unwrap();
        assert!(matches!(&parse("rediss://a"), RedisAddress::Server(node) if is_tls(node)));
        assert!(matches!(
            &parse("rediss-cluster://a,b"),
            RedisAddress::Cluster(nodes) if nodes.iter().all(is_tls)
        ));
        assert!(matches!(
            &parse("rediss-sentinel://a#shop"),
            RedisAddress::Sentinel { sentinels, tls: true, .. } if sentinels.iter().all(is_tls)
        ));
    }

    #[test]
    fn what_is_wrong_is_said_without_quoting_it() {
        let fault = |url: &str| RedisAddress::parse(url).unwrap_err();
        assert_eq!(fault(""), AddressFault::Scheme);
        assert_eq!(fault("cache:6379"), AddressFault::Scheme);
        assert_eq!(fault("http://cache"), AddressFault::Scheme);
        assert_eq!(fault("redis-ring://cache"), AddressFault::Scheme);
        assert_eq!(fault("redis://cache:port"), AddressFault::Unreadable);
        assert_eq!(fault("redis-cluster://"), AddressFault::Unreadable);
        assert_eq!(fault("redis-cluster://a:1,b:x"), AddressFault::Unreadable);
        assert_eq!(fault("redis-cluster://a/1"), AddressFault::Database);
        assert_eq!(fault("redis-sentinel://a"), AddressFault::Master);
        assert_eq!(fault("redis-sentinel://a?password=x#shop"), AddressFault::Unreadable);
    }
}
