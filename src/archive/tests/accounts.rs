use diesel_async::RunQueryDsl as _;
use futures_util::future::join_all;

use super::*;
use crate::archive::{
    ApiKey, Archive, ArchiveError, AuditEntry, KeyCreation, PasswordReset, RecordId, RefreshToken,
    Successor, TokenUse, User,
};

fn user(email: &str) -> User {
    User {
        id: PrincipalId::new(),
        site_id: site(),
        role: Role::Customer,
        email: Some(email.into()),
        external_iss: None,
        external_sub: None,
        display_name: Some("Zoë 🦊".into()),
        password_hash: Some("$argon2id$…".into()),
        created_at: at(0),
        updated_at: at(0),
        disabled_at: None,
    }
}

fn token(family_id: RecordId, hash: &str) -> RefreshToken {
    RefreshToken {
        id: RecordId::new(),
        family_id,
        principal_id: PrincipalId::new(),
        site_id: site(),
        role: Role::Visitor,
        token_hash: hash.into(),
        created_at: at(0),
        expires_at: at(1_000),
        used_at: None,
        revoked_at: None,
    }
}

/// Uses the token `hash`; its successor is called like it with an apostrophe.
async fn rotate(archive: &Archive, hash: &str, now: i64) -> Result<TokenUse, ArchiveError> {
    let successor =
        Successor { id: RecordId::new(), token_hash: format!("{hash}'"), expires_at: at(1_000) };
    match archive.refresh_token(hash).await? {
        Some(known) => archive.rotate_refresh_token(known, &successor, at(now)).await,
        None => Ok(TokenUse::Unknown),
    }
}

fn key(hash: &str) -> ApiKey {
    ApiKey {
        id: RecordId::new(),
        site_id: site(),
        name: "backend".into(),
        prefix: "rk_1234".into(),
        key_hash: hash.into(),
        created_at: at(0),
        revoked_at: None,
    }
}

pub(super) fn configured(id: &str, site_key: &str) -> config::Site {
    config::Site {
        allowed_origins: vec!["https://shop.example".into()],
        identity_secret: Secret::new("hush"),
        ..config::Site::new(SiteId::parse(id).unwrap(), "Demo", site_key)
    }
}

on_both! {
    async fn a_user_is_found_by_every_name_of_theirs(archive) {
        let mut ada = user("Ada@Shop.Example ");
        ada.external_iss = Some("shop".into());
        ada.external_sub = Some("shop|7".into());
        archive.create_user(&ada).await.unwrap();
        ada.email = Some("ada@shop.example".into());
        assert_eq!(archive.user(ada.id).await.unwrap().unwrap(), ada);
        let found = archive.user_by_email(&site(), "ADA@shop.example").await.unwrap();
        assert_eq!(found.unwrap(), ada);
        let found = archive.user_by_identity(&site(), "shop", "shop|7").await.unwrap();
        assert_eq!(found.unwrap(), ada);
        for (iss, sub) in [("shop", "SHOP|7"), ("other", "shop|7"), ("shop|7", "shop")] {
            assert_eq!(archive.user_by_identity(&site(), iss, sub).await.unwrap(), None);
        }
        let elsewhere = SiteId::parse("other").unwrap();
        assert_eq!(archive.user_by_email(&elsewhere, "ada@shop.example").await.unwrap(), None);
    }

    async fn an_address_belongs_to_one_user_of_a_site(archive) {
        archive.create_user(&user("ada@shop.example")).await.unwrap();
        let twin = user("ADA@shop.example");
        assert_eq!(archive.create_user(&twin).await, Err(ArchiveError::Conflict));
        let elsewhere = User { site_id: SiteId::parse("other").unwrap(), ..twin };
        archive.create_user(&elsewhere).await.unwrap();
        let nameless = User { email: None, ..user("") };
        archive.create_user(&nameless).await.unwrap();
        archive.create_user(&User { id: PrincipalId::new(), ..nameless }).await.unwrap();
    }

    async fn the_same_name_of_two_issuers_is_two_customers(archive) {
        let named = |iss: Option<&str>| User {
            email: None,
            external_iss: iss.map(str::to_owned),
            external_sub: Some("7".into()),
            ..user("")
        };
        let (one, two) = (named(Some("one")), named(Some("two")));
        for customer in [&one, &two] {
            archive.create_user(customer).await.unwrap();
            assert_eq!(archive.create_user(&User { id: PrincipalId::new(), ..customer.clone() }).await, Err(ArchiveError::Conflict));
        }
        let found = archive.user_by_identity(&site(), "two", "7").await.unwrap();
        assert_eq!(found.unwrap().id, two.id);
        // A customer from before issuers were kept apart belongs to the first one that comes.
        let elsewhere = SiteId::parse("other").unwrap();
        let old = User { site_id: elsewhere.clone(), ..named(None) };
        archive.create_user(&old).await.unwrap();
        let adopted = join_all(["one", "two"].map(|iss| archive.adopt_identity(&elsewhere, iss, "7"))).await;
        assert_eq!(adopted.iter().filter(|adopted| **adopted == Ok(true)).count(), 1, "{adopted:?}");
        let owner = if adopted[0] == Ok(true) { "one" } else { "two" };
        let found = archive.user_by_identity(&elsewhere, owner, "7").await.unwrap();
        assert_eq!(found.unwrap().id, old.id);
        assert!(!archive.adopt_identity(&site(), "three", "7").await.unwrap());
    }

    async fn addresses_of_an_older_build_are_brought_to_the_new_form(archive) {
        let stored = ["ann@example.com", "ｂｏｂ@example.com", "ＡＮＮ@example.com", "юзер@пример.рф", "x\u{200b}y@example.com"];
        let users: Vec<User> = stored.iter().map(|_| User { email: None, ..user("") }).collect();
        for (user, email) in users.iter().zip(stored) {
            archive.create_user(user).await.unwrap();
            let update = format!("UPDATE users SET email = '{}' WHERE id = '{}'", email.to_lowercase(), user.id);
            let written = crate::archive::query::transact!(&archive, |conn| {
                diesel::sql_query(&update).execute(conn).await
            });
            written.unwrap();
        }
        archive.migrate().await.unwrap();
        let found = async |email: &str| {
            let found = archive.user_by_email(&site(), email).await.unwrap();
            found.map(|found| users.iter().position(|user| user.id == found.id).unwrap())
        };
        assert_eq!(found("bob@example.com").await, Some(1));
        assert_eq!(found("ЮЗЕР@xn--e1afmkfd.xn--p1ai").await, Some(3));
        // The twin keeps what it has, and the address means the other account.
        assert_eq!(found("ＡＮＮ@example.com").await, Some(0));
        let twin = archive.user(users[2].id).await.unwrap().unwrap();
        assert_eq!(twin.email.as_deref(), Some("ａｎｎ@example.com"));
        assert_eq!(archive.normalise_emails().await.unwrap(), [users[2].id]);
    }

    async fn a_new_password_ends_every_sign_in_of_its_account_and_no_other(archive) {
        let (ada, bob) = (user("ada@shop.example"), user("bob@shop.example"));
        for (user, hash) in [(&ada, "a"), (&ada, "b"), (&bob, "c")] {
            let _ = archive.create_user(user).await;
            let token = RefreshToken { principal_id: user.id, ..token(RecordId::new(), hash) };
            archive.insert_refresh_token(&token).await.unwrap();
        }
        assert!(archive.change_password(ada.id, "new", at(1)).await.unwrap());
        assert!(!archive.change_password(PrincipalId::new(), "new", at(1)).await.unwrap());
        let changed = archive.user(ada.id).await.unwrap().unwrap();
        assert_eq!((changed.password_hash.as_deref(), changed.updated_at), (Some("new"), at(1)));
        for (hash, lives) in [("a", false), ("b", false), ("c", true)] {
            let fresh = matches!(rotate(&archive, hash, 2).await, Ok(TokenUse::Fresh(_)));
            assert_eq!(fresh, lives, "{hash}");
        }
    }

    async fn of_many_uses_of_one_link_exactly_one_sets_the_password(archive) {
        let ada = user("ada@shop.example");
        archive.create_user(&ada).await.unwrap();
        let link = |hash: &str, ends| PasswordReset { user_id: ada.id, token_hash: hash.into(), expires_at: at(ends) };
        archive.put_password_reset(&link("first", 100)).await.unwrap();
        archive.put_password_reset(&link("second", 100)).await.unwrap();
        assert_eq!(archive.user_of_reset("first", at(1)).await.unwrap(), None, "a new link ends the old one");
        assert_eq!(archive.user_of_reset("second", at(99)).await.unwrap().unwrap().id, ada.id);
        assert_eq!(archive.user_of_reset("second", at(100)).await.unwrap(), None);
        assert!(!archive.reset_password("second", ada.id, "late", at(100)).await.unwrap());
        assert!(!archive.reset_password("second", PrincipalId::new(), "other", at(1)).await.unwrap());
        let passwords: Vec<String> = (0..8).map(|n| format!("p{n}")).collect();
        let uses = join_all(passwords.iter().map(|p| archive.reset_password("second", ada.id, p, at(1)))).await;
        assert_eq!(uses.iter().filter(|used| **used == Ok(true)).count(), 1, "{uses:?}");
        archive.put_password_reset(&link("third", 100)).await.unwrap();
        archive.change_password(ada.id, "known", at(2)).await.unwrap();
        assert!(!archive.reset_password("third", ada.id, "late", at(3)).await.unwrap());
    }

    async fn tokens_and_links_go_after_their_end_a_bounded_number_at_a_time(archive) {
        let ends = |hash: &str, ends| RefreshToken { expires_at: at(ends), ..token(RecordId::new(), hash) };
        for n in 0..5 {
            archive.insert_refresh_token(&ends(&format!("old {n}"), n)).await.unwrap();
        }
        archive.insert_refresh_token(&ends("new", 100)).await.unwrap();
        let ada = user("ada@shop.example");
        archive.create_user(&ada).await.unwrap();
        let link = PasswordReset { user_id: ada.id, token_hash: "link".into(), expires_at: at(4) };
        archive.put_password_reset(&link).await.unwrap();
        assert_eq!(archive.delete_ended_tokens(at(3), 3).await.unwrap(), 3);
        assert!(archive.user_of_reset("link", at(3)).await.unwrap().is_some());
        assert_eq!(archive.delete_ended_tokens(at(4), 3).await.unwrap(), 2);
        assert_eq!(archive.delete_ended_tokens(at(99), 3).await.unwrap(), 0);
        assert_eq!(archive.user_of_reset("link", at(0)).await.unwrap(), None);
        assert!(archive.refresh_token("new").await.unwrap().is_some());
    }

    async fn a_user_can_be_changed_listed_and_erased(archive) {
        let agent = |n| User { role: Role::Agent, ..user(&format!("u{n}@shop.example")) };
        let mut users: Vec<_> = (0..4).map(agent).collect();
        archive.create_user(&user("shopper@shop.example")).await.unwrap();
        for user in &users {
            archive.create_user(user).await.unwrap();
        }
        users[1].disabled_at = Some(at(9));
        users[1].display_name = None;
        assert!(archive.update_user(&users[1]).await.unwrap());
        assert!(!archive.update_user(&user("nobody@shop.example")).await.unwrap());
        let page = archive.staff_of(&site(), None, 3).await.unwrap();
        let rest = archive.staff_of(&site(), Some(page[2].id), 3).await.unwrap();
        assert_eq!([page, rest].concat(), users);
        let token = RefreshToken { principal_id: users[0].id, ..token(RecordId::new(), "h") };
        archive.insert_refresh_token(&token).await.unwrap();
        assert!(archive.erase_account(users[0].id).await.unwrap());
        assert_eq!(archive.user(users[0].id).await.unwrap(), None);
        assert_eq!(rotate(&archive, "h", 1).await.unwrap(), TokenUse::Unknown);
    }

    async fn of_many_uses_of_one_refresh_token_exactly_one_is_fresh(archive) {
        let token = token(RecordId::new(), "hash");
        archive.insert_refresh_token(&token).await.unwrap();
        let uses = join_all((0..16).map(|_| rotate(&archive, "hash", 1))).await;
        let used = RefreshToken { used_at: Some(at(1)), ..token };
        let fresh = uses.iter().filter(|used_by| **used_by == Ok(TokenUse::Fresh(used.clone())));
        assert_eq!(fresh.count(), 1, "{uses:?}");
        let reused = uses.iter().filter(|used_by| **used_by == Ok(TokenUse::Reused(used.clone())));
        assert_eq!(reused.count(), 15);
        let successor = archive.refresh_token("hash'").await.unwrap().unwrap();
        assert_eq!(
            (successor.family_id, successor.used_at, successor.revoked_at),
            (used.family_id, None, None),
            "of the successors only that of the first is there, and it lives"
        );
    }

    async fn a_refresh_token_is_usable_before_its_end_and_never_after(archive) {
        archive.insert_refresh_token(&token(RecordId::new(), "old")).await.unwrap();
        assert_eq!(rotate(&archive, "old", 1_000).await.unwrap(), TokenUse::Expired);
        assert_eq!(rotate(&archive, "none", 0).await.unwrap(), TokenUse::Unknown);
        let twin = token(RecordId::new(), "old");
        assert_eq!(archive.insert_refresh_token(&twin).await, Err(ArchiveError::Conflict));
    }

    async fn a_revoked_family_stays_closed(archive) {
        let family = RecordId::new();
        archive.insert_refresh_token(&token(family, "a")).await.unwrap();
        assert!(matches!(rotate(&archive, "a", 1).await, Ok(TokenUse::Fresh(_))));
        assert_eq!(archive.revoke_family(family, at(2)).await.unwrap(), 2);
        assert_eq!(archive.revoke_family(family, at(3)).await.unwrap(), 0);
        assert!(matches!(rotate(&archive, "a", 4).await, Ok(TokenUse::Reused(_))));
        assert_eq!(rotate(&archive, "a'", 4).await.unwrap(), TokenUse::Unknown);
        assert_eq!(archive.refresh_token("a''").await.unwrap(), None, "nothing is revived");
    }

    async fn a_reuse_beside_a_rotation_leaves_no_living_token(archive) {
        for round in 0..8 {
            let family = RecordId::new();
            let (first, second) = (format!("r{round}"), format!("r{round}'"));
            archive.insert_refresh_token(&token(family, &first)).await.unwrap();
            rotate(&archive, &first, 1).await.unwrap();
            let (revoked, rotated) =
                futures_util::join!(archive.revoke_family(family, at(2)), rotate(&archive, &second, 2));
            revoked.unwrap();
            rotated.unwrap();
            let third = archive.refresh_token(&format!("{second}'")).await.unwrap();
            assert!(third.is_none_or(|third| third.revoked_at.is_some()));
        }
    }

    async fn a_site_has_at_most_two_active_keys(archive) {
        archive.put_sites(&[configured("demo", "pk_demo")], at(0)).await.unwrap();
        let keys: Vec<_> = (0..6).map(|n| key(&format!("h{n}"))).collect();
        let made = join_all(keys.iter().map(|key| archive.create_api_key(key))).await;
        let created = made.iter().filter(|made| **made == Ok(KeyCreation::Created)).count();
        assert_eq!(created, 2, "{made:?}");
        let active = archive.api_keys(&site()).await.unwrap();
        assert_eq!(active.len(), 2);
        let first = &active[0];
        assert_eq!(archive.active_api_key(&first.key_hash).await.unwrap().as_ref(), Some(first));
        let elsewhere = SiteId::parse("other").unwrap();
        assert!(!archive.revoke_api_key(&elsewhere, first.id, at(5)).await.unwrap());
        assert!(archive.revoke_api_key(&site(), first.id, at(5)).await.unwrap());
        assert!(!archive.revoke_api_key(&site(), first.id, at(6)).await.unwrap());
        assert_eq!(archive.active_api_key(&first.key_hash).await.unwrap(), None);
        assert_eq!(archive.create_api_key(&key("next")).await.unwrap(), KeyCreation::Created);
        let nowhere = ApiKey { site_id: elsewhere, ..key("lost") };
        assert_eq!(archive.create_api_key(&nowhere).await.unwrap_err().as_str(), "corrupt");
    }

    async fn sites_follow_the_configuration_and_keep_their_knowledge(archive) {
        archive.put_sites(&[configured("demo", "pk_demo"), configured("b", "pk_b")], at(0)).await.unwrap();
        let mut changed = configured("demo", "pk_demo2");
        changed.allowed_origins.push("https://m.shop.example".into());
        archive.put_sites(&[changed], at(9)).await.unwrap();
        let demo = archive.site_by_key("pk_demo2").await.unwrap().unwrap();
        assert_eq!((demo.created_at, demo.allowed_origins.len(), demo.identity_secret.expose()), (at(0), 2, "hush"));
        assert_eq!(archive.site(&site()).await.unwrap().as_ref(), Some(&demo));
        assert_eq!(archive.site_by_key("PK_DEMO2").await.unwrap(), None);
        assert_eq!(archive.sites().await.unwrap().len(), 2);
        let thief = archive.put_sites(&[configured("c", "pk_b")], at(9)).await;
        assert_eq!(thief, Err(ArchiveError::Conflict));
    }

    async fn the_audit_log_reads_newest_first_page_by_page(archive) {
        let entries: Vec<_> = (0..5)
            .map(|n| AuditEntry {
                id: RecordId::new(),
                site_id: site(),
                actor_id: PrincipalId::new(),
                actor_role: Role::Admin,
                action: "cache.purge".into(),
                target: format!("tag:{n}"),
                detail: serde_json::json!({"entries": n}),
                at: at(n),
            })
            .collect();
        for entry in &entries {
            archive.append_audit(entry).await.unwrap();
        }
        let mut log = archive.audit(&site(), None, 3).await.unwrap();
        log.extend(archive.audit(&site(), Some(log[2].id), 3).await.unwrap());
        log.reverse();
        assert_eq!(log, entries);
    }
}
