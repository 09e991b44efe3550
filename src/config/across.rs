//! Checks across several sections.

use reqwest::Url;

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
    let mut sites = Check::of("sites", faults);
    sites.each("", &config.sites, |site, check| {
        let reach = |key: &str, address: &str, check: &mut Check<'_>| {
            if let Some(why) = out_of_reach(config, address) {
                let what = format_args!("{why}: add it to tools.allowed_networks");
                check.require(key, false, what);
            }
        };
        if let Some(shop) = &site.shop {
            reach("shop.url", &shop.url, check);
        }
        check.each("tools", &site.tools, |tool, check| {
            reach("url", &tool.url, check);
            reach("outcome_url", &tool.outcome_url, check);
        });
        if let Some(web) = &site.web_search {
            reach("web_search.url", &web.url, check);
        }
        check.each("mcp", &site.mcp, |server, check| {
            reach("url", &server.url, check);
        });
    });
}

/// Why a tool may not call an address, as far as its spelling says so.
fn out_of_reach(config: &Config, address: &str) -> Option<&'static str> {
    let origin = |address: &str| {
        // Places stand behind the host.
        let before_places = address.split('{').next().unwrap_or_default();
        Url::parse(before_places).ok().map(|url| url.origin())
    };
    let demo = origin(&config.tools.demo_shop_url).filter(|_| config.is_embedded());
    let is_demo = demo.is_some() && demo == origin(address);
    if is_demo { None } else { config.tools.out_of_reach(address) }
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
    fn a_shop_at_home_has_to_be_allowed_unless_it_is_that_of_the_demo() {
        let file = |allowed: &str, url: &str| {
            format!(
                "[tools]\nallowed_networks = [{allowed}]\n[[sites]]\nid = \"shop\"\nname = \"S\"\n\
                 site_key = \"pk_shop\"\nshop.url = \"{url}\"\n"
            )
        };
        for url in ["http://10.1.2.3", "http://0x7f.1", "http://[::1]:8090", "http://127.0.0.1:81"]
        {
            assert_faults(&file("", url), &[], &["sites[0].shop.url: is a private or local"]);
        }
        let own = "sites[0].shop.url: is a name of this machine: add it to";
        assert_faults(&file("", "http://localhost/api"), &[], &[own]);
        load(&file("\"10.1.0.0/16\"", "http://10.1.2.3"), &[]).unwrap();
        load(&file("", "http://127.0.0.1:8090/api"), &[]).unwrap();
        load(&file("", "https://shop.example"), &[]).unwrap();
    }

    #[test]
    fn who_is_reached_by_others_or_has_replicas_needs_a_secret() {
        assert_faults("[server]\nlisten = \"0.0.0.0:80\"", &[], &["auth.jwt_secret"]);
        let keys = ["auth.jwt_secret", "store.mysql_url", "store.redis_url"];
        assert_faults("[store]\nmode = \"distributed\"", &[], &keys);
    }
}
