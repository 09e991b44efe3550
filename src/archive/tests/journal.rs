use super::{talk::take, *};

on_both! {
    async fn a_session_reads_back_as_it_was(archive) {
        let family = "\u{1F468}\u{200D}\u{1F469}\u{200D}\u{1F467}";
        let talk = Talk::of(2, &format!("Where is my parcel? 📦 أين طردي؟ {family}"));
        keep(&archive, [&talk]).await;
        let id = talk.id();
        assert_eq!(archive.session(id).await.unwrap().unwrap(), talk.meta);
        assert_eq!(archive.events(id, 0, 100).await.unwrap(), talk.events);
        assert_eq!(archive.events(id, 1, 2).await.unwrap(), talk.events[1..3]);
        let stored = archive.stored(id, 3).await.unwrap().unwrap();
        assert_eq!((stored.meta, stored.version), (talk.meta.clone(), talk.version));
        assert_eq!(stored.events, talk.events[1..]);
        assert_eq!(archive.idempotency(id, "k3").await.unwrap().unwrap(), talk.records[1]);
        assert_eq!(archive.idempotency(id, "K3").await.unwrap(), None, "keys compare exactly");
        let message = talk.events[2].fact.message_id().unwrap();
        assert_eq!(archive.message_session(message).await.unwrap(), Some(id));
        assert_eq!(archive.message_session(MessageId::new()).await.unwrap(), None);
        assert_eq!(archive.session(SessionId::new()).await.unwrap(), None);
        assert_eq!(archive.version(SessionId::new()).await.unwrap(), None);
        assert!(archive.stored(SessionId::new(), 10).await.unwrap().is_none());
    }

    async fn a_session_without_events_reads_back_too(archive) {
        let talk = Talk::new();
        keep(&archive, [&talk]).await;
        let stored = archive.stored(talk.id(), 10).await.unwrap().unwrap();
        assert_eq!((stored.meta, stored.version), (talk.meta, Version::NEW));
        assert_eq!((stored.events, stored.owner), (vec![], None));
    }

    async fn the_newest_events_of_sessions_are_told_together(archive) {
        let talks = [Talk::new(), Talk::of(1, "hello"), Talk::of(3, "hello")];
        keep(&archive, &talks).await;
        let mut ids: Vec<_> = talks.iter().map(Talk::id).collect();
        ids.push(SessionId::new());
        let found = archive.last_seqs(&ids).await.unwrap();
        let expected: Vec<_> = ids.iter().zip([0, 2, 6]).map(|(id, seq)| (*id, seq)).collect();
        assert_eq!(found, expected.into_iter().collect());
        assert!(archive.last_seqs(&[]).await.unwrap().is_empty());
    }

    async fn sessions_of_an_owner_come_newest_first_page_by_page(archive) {
        let owner = PrincipalId::new();
        let mut talks: Vec<_> = (0..5).map(|_| Talk::new()).collect();
        for talk in &mut talks {
            talk.meta.owner = owner;
            talk.ask("hi");
        }
        let other = Talk::of(1, "somebody else");
        keep(&archive, talks.iter().chain([&other])).await;
        let first = archive.sessions_of(owner, None, 3).await.unwrap();
        let rest = archive.sessions_of(owner, Some(first[2].id), 3).await.unwrap();
        let ids: Vec<_> = first.iter().chain(&rest).map(|meta| meta.id).collect();
        let expected: Vec<_> = talks.iter().rev().map(Talk::id).collect();
        assert_eq!(ids, expected);
    }

    async fn long_texts_survive_in_one_transaction(archive) {
        let talks: Vec<_> = (0..30).map(|_| Talk::of(1, &"é".repeat(100_000))).collect();
        keep(&archive, &talks).await;
        for talk in &talks {
            assert!(archive.events(talk.id(), 0, 10).await.unwrap() == talk.events);
            assert_eq!(take(&archive, talk.last()).await, talk.done());
        }
    }
}

#[test]
fn a_failed_turn_shows_as_a_failed_message_with_its_partial_text() {
    let message_id = MessageId::new();
    let problem = Problem::new(ErrorCode::UpstreamTimeout);
    let fact = Fact::TurnFailed { message_id, text: "Your par".into(), problem };
    let event = event(SessionId::new(), 2, TurnId::new(), fact);
    let message = crate::archive::project(&event).unwrap();
    assert_eq!(
        (message.id, message.role, message.status),
        (message_id, MessageRole::Assistant, MessageStatus::Failed)
    );
    assert_eq!((message.text.as_str(), message.seq, message.route), ("Your par", 2, None));
}
