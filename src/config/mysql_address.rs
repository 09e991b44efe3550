//! The format of `store.mysql_url`, with MySQL's own parameters for TLS.

use std::path::PathBuf;

use mysql_async::{Opts, UrlError};
use reqwest::Url;

/// The address of MySQL from `store.mysql_url`: `mysql://user:password@host:3306/database`, with
/// TLS parameters after a `?`.
pub struct MysqlAddress {
    /// Without TLS.
    pub options: Opts,
    pub tls: MysqlTls,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MysqlTls {
    /// `ssl-mode=DISABLED`, or no `ssl-mode`.
    Off,
    /// `ssl-mode=REQUIRED`: encrypted, but the server's identity is not checked.
    Unverified,
    /// `ssl-mode=VERIFY_IDENTITY`: the certificate must be for this host, from an authority in the
    /// PEM file `ssl-ca` or, without one, an authority that the system trusts.
    Verified { ca: Option<PathBuf> },
}

/// Why a text is not an address. Never quotes it, because it may contain a password.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MysqlFault {
    #[error("needs mysql://user:password@host:3306/database")]
    Scheme,
    #[error("is not a valid URL; write special characters of a password as %40")]
    Unreadable,
    #[error("has an unknown parameter; use ssl-mode and ssl-ca for TLS")]
    Parameter,
    #[error("ssl-mode must be DISABLED, REQUIRED or VERIFY_IDENTITY")]
    Mode,
    #[error("ssl-mode=PREFERRED may silently connect without TLS; use REQUIRED or VERIFY_IDENTITY")]
    Preferred,
    #[error("ssl-mode=VERIFY_CA is not supported; use VERIFY_IDENTITY, which also checks the host")]
    VerifyCa,
    #[error("ssl-ca is read with ssl-mode=VERIFY_IDENTITY only")]
    Authority,
}

impl MysqlAddress {
    pub fn parse(text: &str) -> Result<Self, MysqlFault> {
        if !text.starts_with("mysql://") {
            return Err(MysqlFault::Scheme);
        }
        let mut url = Url::parse(text).map_err(|_| MysqlFault::Unreadable)?;
        let (ours, others): (Vec<_>, Vec<_>) = url
            .query_pairs()
            .into_owned()
            .partition(|(name, _)| ["ssl-mode", "ssl-ca"].contains(&name.as_str()));
        url.set_query(None);
        if !others.is_empty() {
            url.query_pairs_mut().extend_pairs(&others);
        }
        let options = Opts::from_url(url.as_str()).map_err(|error| match error {
            UrlError::UnknownParameter { .. } | UrlError::FeatureRequired { .. } => {
                MysqlFault::Parameter
            }
            _ => MysqlFault::Unreadable,
        })?;
        // The driver has its own TLS parameters and other authorities, so these are refused.
        if options.ssl_opts().is_some() {
            return Err(MysqlFault::Parameter);
        }
        let last = |name: &str| ours.iter().rfind(|(key, _)| key == name).map(|(_, value)| value);
        let ca = last("ssl-ca").map(PathBuf::from);
        let tls = match last("ssl-mode").map(|mode| mode.to_uppercase()).as_deref() {
            None | Some("DISABLED") => MysqlTls::Off,
            Some("REQUIRED") => MysqlTls::Unverified,
            Some("VERIFY_IDENTITY") => MysqlTls::Verified { ca: ca.clone() },
            Some("PREFERRED") => return Err(MysqlFault::Preferred),
            Some("VERIFY_CA") => return Err(MysqlFault::VerifyCa),
            Some(_) => return Err(MysqlFault::Mode),
        };
        if ca.is_some() && !matches!(tls, MysqlTls::Verified { .. }) {
            return Err(MysqlFault::Authority);
        }
        Ok(Self { options, tls })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tls(query: &str) -> Result<MysqlTls, MysqlFault> {
        MysqlAddress::parse(&format!("mysql://shop:pw@db/rushdesk{query}")).map(|url| url.tls)
    }

    #[test]
    fn an_address_names_user_host_and_database() {
        let url = "mysql://shop:s%40cret@[::1]:3307/rushdesk?tcp_nodelay=false&ssl-mode=REQUIRED";
        let Ok(MysqlAddress { options, tls }) = MysqlAddress::parse(url) else { panic!("{url}") };
        assert_eq!((options.user(), options.pass()), (Some("shop"), Some("s@cret")));
        assert_eq!((options.tcp_port(), options.db_name()), (3307, Some("rushdesk")));
        assert_eq!((options.tcp_nodelay(), tls), (false, MysqlTls::Unverified));
    }

    #[test]
    fn tls_is_asked_for_in_the_words_of_mysql() {
        assert_eq!(tls(""), Ok(MysqlTls::Off));
        assert_eq!(tls("?ssl-mode=disabled"), Ok(MysqlTls::Off));
        assert_eq!(tls("?ssl-mode=REQUIRED"), Ok(MysqlTls::Unverified));
        let verified = |ca: Option<&str>| Ok(MysqlTls::Verified { ca: ca.map(PathBuf::from) });
        assert_eq!(tls("?ssl-mode=VERIFY_IDENTITY"), verified(None));
        let url = "?ssl-ca=/etc/ssl/my%20ca.pem&ssl-mode=verify_identity";
        assert_eq!(tls(url), verified(Some("/etc/ssl/my ca.pem")));
    }

    #[test]
    fn what_would_be_less_than_it_says_is_refused() {
        assert_eq!(tls("?ssl-mode=PREFERRED"), Err(MysqlFault::Preferred));
        assert_eq!(tls("?ssl-mode=VERIFY_CA&ssl-ca=/ca.pem"), Err(MysqlFault::VerifyCa));
        assert_eq!(tls("?ssl-mode=true"), Err(MysqlFault::Mode));
        assert_eq!(tls("?ssl-ca=/ca.pem"), Err(MysqlFault::Authority));
        assert_eq!(tls("?ssl-mode=REQUIRED&ssl-ca=/ca.pem"), Err(MysqlFault::Authority));
        for other in ["?sslmode=require", "?useSSL=true", "?require_ssl=true", "?ssl_mode=REQUIRED"]
        {
            assert_eq!(tls(other), Err(MysqlFault::Parameter), "{other}");
        }
    }

    #[test]
    fn what_is_no_address_is_said_without_quoting_it() {
        let fault = |url: &str| MysqlAddress::parse(url).err().unwrap();
        assert_eq!(fault(""), MysqlFault::Scheme);
        assert_eq!(fault("mariadb://db/rushdesk"), MysqlFault::Scheme);
        assert_eq!(fault("mysql://"), MysqlFault::Unreadable);
        assert_eq!(fault("mysql://db:port/rushdesk"), MysqlFault::Unreadable);
        assert_eq!(fault("mysql://db/rushdesk?pool_min=many"), MysqlFault::Unreadable);
    }
}
