//! Checks across several sections.

use super::{check::Check, sites::DEMO_SITE, whole::Config};
use crate::domain::SiteId;

pub(super) fn check(config: &Config, faults: &mut Vec<String>) {
    let mut auth = Check::of("auth", faults);
    let signs = config.auth.signs();
    if config.is_embedded() {
        auth.require(
            "jwt_secret",
            signs || config.server.listen.ip().is_loopback(),
            "set a secret of at least 32 bytes before listening beyond this machine",
        );
    } else {
        auth.require(
            "jwt_secret",
            signs,
            "distributed mode needs a secret of at least 32 bytes, the same on every replica",
        );
    }
    for site in &config.auth.operator_sites {
        let what = format_args!("there is no site `{site}` in [[sites]]");
        auth.require("operator_sites", has_site(config, site), what);
    }
    auth.each("oidc", &config.auth.oidc, |provider, check| {
        let known = has_site(config, &provider.site);
        check.require("site", known, "there is no such site in [[sites]]");
    });
}

/// The demo site of the embedded mode is not in the configuration.
fn has_site(config: &Config, id: &SiteId) -> bool {
    let is_demo = config.is_embedded() && id.as_str() == DEMO_SITE;
    is_demo || config.sites.iter().any(|site| site.id == *id)
}

#[cfg(test)]
mod tests {
    use crate::config::load::tests::{assert_faults, load};

    #[test]
    fn a_site_that_is_nowhere_is_refused_in_every_mode() {
        let file = |site: &str| {
            format!(
                "[auth]\noperator_sites = [\"{site}\"]\n\
                 [[auth.oidc]]\nsite = \"{site}\"\nissuer = \"i\"\naudience = \"a\"\n\
                 jwks_url = \"https://id.example/keys\"\nrole_claim = \"r\"\nagent = [\"desk\"]\n\
                 [[sites]]\nid = \"shop\"\nname = \"S\"\nsite_key = \"pk_shop\"\n"
            )
        };
        for known in ["shop", "demo"] {
            load(&file(known), &[]).unwrap();
        }
        let keys = ["auth.operator_sites", "auth.oidc[0].site"];
        assert_faults(&file("shpo"), &[], &keys);
        let distributed = [
            ("RUSHDESK__STORE__MODE", "distributed"),
            ("RUSHDESK__STORE__MYSQL_URL", "mysql://db/rushdesk"),
            ("RUSHDESK__STORE__REDIS_URL", "redis://cache"),
            ("RUSHDESK__AUTH__JWT_SECRET_FILE", "keys"),
        ];
        assert_faults(&file("demo"), &distributed, &keys);
    }

    #[test]
    fn who_is_reached_by_others_or_has_replicas_needs_a_secret() {
        assert_faults("[server]\nlisten = \"0.0.0.0:80\"", &[], &["auth.jwt_secret"]);
        let keys = ["auth.jwt_secret", "store.mysql_url", "store.redis_url"];
        assert_faults("[store]\nmode = \"distributed\"", &[], &keys);
    }
}
