use super::*;
use crate::{archive::Feedback, domain::Rating};

pub fn rating(talk: &Talk, rating: Rating) -> Feedback {
    Feedback {
        message_id: talk.events[1].fact.message_id().unwrap(),
        session_id: talk.id(),
        site_id: site(),
        principal_id: talk.meta.owner,
        rating,
        comment: Some("great 👍".into()),
        created_at: at(10),
        updated_at: at(10),
    }
}

on_both! {
    async fn a_rating_can_be_changed(archive) {
        let talk = Talk::of(1, "hello");
        archive.put_feedback(&rating(&talk, Rating::Up)).await.unwrap();
        let later = Feedback {
            rating: Rating::Down,
            comment: None,
            created_at: at(70),
            updated_at: at(70),
            ..rating(&talk, Rating::Up)
        };
        archive.put_feedback(&later).await.unwrap();
        let kept = archive.feedback_of(talk.id()).await.unwrap();
        assert_eq!(kept, [Feedback { created_at: at(10), ..later }]);
    }
}
