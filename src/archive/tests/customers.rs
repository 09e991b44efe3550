use std::{pin::pin, time::Duration};

use futures_util::future::join_all;

use super::{talk::take, *};
use crate::{
    archive::{
        Advanced, ApiKey, ArchiveError, AuditEntry, Cleared, CustomerErasure, Feedback,
        PasswordReset, RecordId, RefreshToken, User, column::Count, handle::Store,
    },
    domain::Rating,
};

fn customer(id: PrincipalId) -> User {
    User {
        id,
        site_id: site(),
        role: Role::Customer,
        email: Some(format!("{id}@shop.example")),
        external_iss: Some("https://shop.example".into()),
        external_sub: Some(format!("shop|{id}")),
        display_name: Some("Ada".into()),
        password_hash: None,
        created_at: at(0),
        updated_at: at(0),
        disabled_at: None,
    }
}

/// SQLite has one writer at a time.
#[tokio::test]
async fn an_erasure_waits_for_a_session_that_another_replica_is_making() {
    with_mysql(async |archive| {
        let (ada, other) = (PrincipalId::new(), Talk::of(1, "lives"));
        keep(&archive, [&other]).await;
        let Store::Mysql(pool) = &archive.store else { unreachable!() };
        let mut lease = pool.take().await.unwrap();
        let replica = &mut lease.connection;
        let columns = "site_id, created_at, updated_at, last_seq, state, controller, epoch, \
                       locale, owner_epoch, head";
        let insert = format!(
            "BEGIN; INSERT INTO sessions (id, owner_id, {columns}) \
             SELECT '{}', '{ada}', {columns} FROM sessions WHERE id = '{}'",
            SessionId::new(),
            other.id()
        );
        replica.batch_execute(&insert).await.unwrap();
        archive.begin_erasure(&site(), ada, None).await.unwrap();
        let mut erasing = pin!(archive.erase_account(ada));
        let early = tokio::time::timeout(Duration::from_millis(300), &mut erasing).await;
        assert!(early.is_err(), "it does not see that session yet: {early:?}");
        replica.batch_execute("COMMIT").await.unwrap();
        assert_eq!(erasing.await, Ok(false), "the session is to be erased first");
        erase_sessions(&archive, ada).await;
        assert_eq!(archive.erase_account(ada).await, Ok(true));
    })
    .await;
}

fn token(of: PrincipalId, hash: &str) -> RefreshToken {
    RefreshToken {
        id: RecordId::new(),
        family_id: RecordId::new(),
        principal_id: of,
        site_id: site(),
        role: Role::Customer,
        token_hash: hash.into(),
        created_at: at(0),
        expires_at: at(1_000),
        used_at: None,
        revoked_at: None,
    }
}

fn entry(action: &str, target: &str) -> AuditEntry {
    AuditEntry {
        id: RecordId::new(),
        site_id: site(),
        actor_id: PrincipalId::new(),
        actor_role: Role::Admin,
        action: action.into(),
        target: target.into(),
        detail: serde_json::json!({"note": "x"}),
        at: at(5),
    }
}

fn talk_of(owner: PrincipalId, text: &str) -> Talk {
    Talk::of_owner(owner, 2, text)
}

async fn erase_sessions(archive: &Archive, owner: PrincipalId) {
    for meta in archive.sessions_of(owner, None, 100).await.unwrap() {
        archive.erase_session(meta.id, owner).await.unwrap();
    }
}

on_both! {
    async fn a_link_for_a_new_password_goes_with_its_account(archive) {
        let ada = PrincipalId::new();
        archive.create_user(&customer(ada)).await.unwrap();
        let reset = PasswordReset { user_id: ada, token_hash: "h".into(), expires_at: at(100) };
        archive.put_password_reset(&reset).await.unwrap();
        archive.begin_erasure(&site(), ada, None).await.unwrap();
        assert!(archive.erase_account(ada).await.unwrap());
        // Whatever has the id again.
        archive.create_user(&customer(ada)).await.unwrap();
        assert_eq!(archive.user_of_reset("h", at(1)).await.unwrap(), None);
    }

    async fn a_server_of_the_shop_is_no_customer_although_it_has_sessions(archive) {
        let id = PrincipalId::new();
        keep(&archive, [&talk_of(id, "asked for a shopper")]).await;
        assert!(archive.knows_customer(&site(), id).await.unwrap());
        let sites = [super::accounts::configured("demo", "pk_demo")];
        archive.put_sites(&sites, at(0)).await.unwrap();
        let key = ApiKey {
            id: RecordId(id.0),
            site_id: site(),
            name: "shop".into(),
            prefix: "p".into(),
            key_hash: "k".into(),
            created_at: at(0),
            revoked_at: None,
        };
        archive.create_api_key(&key).await.unwrap();
        assert!(!archive.knows_customer(&site(), id).await.unwrap());
    }

    async fn who_was_erased_is_known_by_id_and_by_identity_until_the_tokens_have_ended(archive) {
        let (day, none) = (Duration::from_hours(24), Duration::ZERO);
        let (ada, bob, visitor) = (PrincipalId::new(), PrincipalId::new(), PrincipalId::new());
        for id in [ada, bob] {
            archive.create_user(&customer(id)).await.unwrap();
        }
        for id in [ada, visitor] {
            archive.begin_erasure(&site(), id, None).await.unwrap();
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        assert_eq!(archive.newest_erasures(day, 10).await.unwrap(), [ada, visitor]);
        assert_eq!(archive.newest_erasures(day, 1).await.unwrap(), [visitor]);
        assert_eq!(archive.newest_erasures(none, 10).await.unwrap(), []);
        let erased = async |id: PrincipalId, iss: &str| {
            archive.identity_erased_at(&site(), iss, &format!("shop|{id}")).await.unwrap()
        };
        let row = archive.erasure(ada).await.unwrap().unwrap();
        assert_eq!(erased(ada, "https://shop.example").await, Some(row.requested_at));
        assert_eq!(erased(ada, "https://other.example").await, None);
        assert_eq!(erased(bob, "https://shop.example").await, None);
        archive.delete_identity_marks(day).await.unwrap();
        assert!(erased(ada, "https://shop.example").await.is_some());
        tokio::time::sleep(Duration::from_millis(5)).await;
        archive.delete_identity_marks(none).await.unwrap();
        assert_eq!(erased(ada, "https://shop.example").await, None);
    }

    async fn a_customer_who_is_erased_leaves_a_row_that_counts_and_nothing_else(archive) {
        let (ada, eve) = (PrincipalId::new(), PrincipalId::new());
        for id in [ada, eve] {
            archive.create_user(&customer(id)).await.unwrap();
            archive.insert_refresh_token(&token(id, &format!("h{id}"))).await.unwrap();
        }
        let (first, second, other) =
            (talk_of(ada, "mine"), talk_of(ada, "mine too"), talk_of(eve, "stays"));
        keep(&archive, [&first, &second, &other]).await;
        archive.put_feedback(&super::feedback::rating(&first, Rating::Up)).await.unwrap();
        // Rated somewhere else.
        let abroad = super::feedback::rating(&other, Rating::Down);
        archive.put_feedback(&Feedback { principal_id: ada, ..abroad }).await.unwrap();
        for target in [ada.to_string(), first.id().to_string(), eve.to_string()] {
            archive.append_audit(&entry("changed", &target)).await.unwrap();
        }
        assert!(archive.knows_customer(&site(), ada).await.unwrap());

        let asked = entry("customer.erase", &ada.to_string());
        for _ in 0..2 {
            archive.begin_erasure(&site(), ada, Some(&asked)).await.unwrap();
        }
        assert!(!archive.erase_account(ada).await.unwrap(), "the sessions come first");
        assert!(archive.user(ada).await.unwrap().is_some());
        erase_sessions(&archive, ada).await;
        for _ in 0..2 {
            assert!(archive.erase_account(ada).await.unwrap());
        }
        assert_eq!(archive.open_erasures().await.unwrap(), 1);
        for place in [Cleared::Cache, Cleared::Archive, Cleared::Replicas] {
            assert_eq!(archive.erasure(ada).await.unwrap().unwrap().erased_at, None);
            archive.cleared(ada, place).await.unwrap();
        }
        let row = archive.erasure(ada).await.unwrap().unwrap();
        assert!(row.erased_at.is_some() && row.erased_at >= row.archive_at, "{row:?}");
        let count = |number| Count(number);
        assert_eq!(
            row,
            CustomerErasure {
                accounts: count(1),
                refresh_tokens: count(1),
                sessions: count(2),
                events: count(8),
                messages: count(8),
                idempotency: count(4),
                feedback: count(2),
                tickets: count(0),
                // Two details, and that of the request itself.
                audit: count(3),
                ..row.clone()
            }
        );
        assert_eq!(archive.open_erasures().await.unwrap(), 0);

        assert_eq!(archive.user(ada).await.unwrap(), None);
        assert!(archive.sessions_of(ada, None, 10).await.unwrap().is_empty());
        assert_eq!(archive.refresh_token(&format!("h{ada}")).await.unwrap(), None);
        for entry in archive.audit(&site(), None, 10).await.unwrap() {
            let is_kept = entry.target == eve.to_string();
            assert_eq!(entry.detail.is_object(), is_kept, "{entry:?}");
        }
        assert_eq!(archive.audit(&site(), None, 10).await.unwrap().len(), 4);
        // The others have what they had.
        assert!(archive.user(eve).await.unwrap().is_some());
        assert!(archive.refresh_token(&format!("h{eve}")).await.unwrap().is_some());
        assert_eq!(archive.events(other.id(), 0, 10).await.unwrap(), other.events);
    }

    async fn nothing_of_an_erased_customer_comes_back(archive) {
        let ada = PrincipalId::new();
        archive.begin_erasure(&site(), ada, None).await.unwrap();
        let (late, other) = (talk_of(ada, "late"), Talk::of(1, "lives"));
        let steps = [late.creation(), other.creation(), late.last(), other.last()];
        let taken = archive.advance(steps.into()).await.unwrap();
        let erased = Advanced::Erased { owner: ada };
        assert_eq!(taken, [erased.clone(), Advanced::Done(Version::NEW), erased, other.done()]);
        assert_eq!(take(&archive, late.last()).await, Advanced::Missing);
        assert_eq!(archive.session(late.id()).await.unwrap(), None);
        let refused = archive.insert_refresh_token(&token(ada, "late")).await;
        assert_eq!(refused, Err(ArchiveError::Conflict));
        assert_eq!(archive.refresh_token("late").await.unwrap(), None);
        assert!(archive.erase_account(ada).await.unwrap());
    }

    async fn what_is_made_during_an_erasure_is_erased_or_never_made(archive) {
        for pause in 0..8 {
            let owner = PrincipalId::new();
            let talks: Vec<Talk> = (0..6).map(|_| talk_of(owner, "quick")).collect();
            let tokens: Vec<_> = (0..6).map(|n| token(owner, &format!("h{owner}{n}"))).collect();
            let make = async {
                join_all(talks.iter().map(|talk| take(&archive, talk.creation()))).await
            };
            let sign_in = async {
                join_all(tokens.iter().map(|token| archive.insert_refresh_token(token))).await
            };
            let erase = async {
                tokio::time::sleep(Duration::from_micros(300 * pause)).await;
                archive.begin_erasure(&site(), owner, None).await.unwrap();
                while !archive.erase_account(owner).await.unwrap() {
                    erase_sessions(&archive, owner).await;
                }
            };
            tokio::join!(make, sign_in, erase);
            assert!(archive.sessions_of(owner, None, 10).await.unwrap().is_empty());
            assert!(archive.sign_ins(owner, None, 10).await.unwrap().is_empty());
        }
    }

    async fn only_shoppers_of_the_own_site_are_customers(archive) {
        let elsewhere = SiteId::parse("other").unwrap();
        let ids: Vec<PrincipalId> = (0..5).map(|_| PrincipalId::new()).collect();
        let [ada, agent, visitor, owner, stranger] = ids[..] else { unreachable!() };
        archive.create_user(&customer(ada)).await.unwrap();
        archive.create_user(&User { role: Role::Agent, ..customer(agent) }).await.unwrap();
        let signed_in = RefreshToken { role: Role::Visitor, ..token(visitor, "h") };
        archive.insert_refresh_token(&signed_in).await.unwrap();
        keep(&archive, [&talk_of(owner, "hello")]).await;
        for (id, known) in
            [(ada, true), (agent, false), (visitor, true), (owner, true), (stranger, false)]
        {
            assert_eq!(archive.knows_customer(&site(), id).await.unwrap(), known);
            assert!(!archive.knows_customer(&elsewhere, id).await.unwrap());
        }
        archive.begin_erasure(&site(), ada, None).await.unwrap();
        assert!(archive.erase_account(ada).await.unwrap());
        assert!(archive.knows_customer(&site(), ada).await.unwrap());
        assert!(!archive.knows_customer(&elsewhere, ada).await.unwrap());
    }

    async fn unfinished_erasures_are_found_in_pages(archive) {
        let mut ids: Vec<PrincipalId> = (0..5).map(|_| PrincipalId::new()).collect();
        ids.sort_unstable();
        for id in &ids {
            archive.begin_erasure(&site(), *id, None).await.unwrap();
        }
        for place in [Cleared::Cache, Cleared::Archive, Cleared::Replicas] {
            archive.cleared(ids[1], place).await.unwrap();
        }
        let first = PrincipalId(uuid::Uuid::nil());
        let page = archive.unfinished_erasures(first, 2).await.unwrap();
        assert_eq!(page, [ids[0], ids[2]]);
        let rest = archive.unfinished_erasures(page[1], 9).await.unwrap();
        assert_eq!(rest, [ids[3], ids[4]]);
    }

    async fn an_export_reads_all_that_is_kept_in_pages(archive) {
        let talk = talk_of(PrincipalId::new(), "hello");
        keep(&archive, [&talk]).await;
        let rating = super::feedback::rating(&talk, Rating::Up);
        archive.put_feedback(&rating).await.unwrap();
        let (mut after, mut events, mut keys, mut ratings) = (0, vec![], vec![], vec![]);
        loop {
            let held = archive.held(talk.id(), after, 1).await.unwrap();
            let Some(last) = held.events.last() else { break };
            after = last.seq;
            events.extend(held.events);
            keys.extend(held.keys.into_iter().map(|key| key.idempotency_key));
            ratings.extend(held.ratings);
        }
        assert_eq!(events, talk.events);
        assert_eq!(keys, ["k1", "k3"]);
        assert_eq!(ratings, [rating]);
        for n in 0..3 {
            let token = token(talk.meta.owner, &format!("h{n}"));
            archive.insert_refresh_token(&token).await.unwrap();
            archive.append_audit(&entry("session.read", &talk.id().to_string())).await.unwrap();
        }
        let page = archive.sign_ins(talk.meta.owner, None, 2).await.unwrap();
        let rest = archive.sign_ins(talk.meta.owner, Some(page[1].id), 2).await.unwrap();
        assert_eq!((page.len(), rest.len()), (2, 1));
        let target = talk.id().to_string();
        let page = archive.audit_of(&target, None, 2).await.unwrap();
        let rest = archive.audit_of(&target, Some(page[1].id), 2).await.unwrap();
        assert_eq!((page.len(), rest.len()), (2, 1));
    }
}
