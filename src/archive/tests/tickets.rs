use serde_json::json;

use super::{talk::take, *};
use crate::archive::TicketRow;

/// A session of one question whose turn ended with a ticket.
fn kept() -> (Talk, TicketId) {
    let mut talk = Talk::new();
    let turn_id = talk.ask("Where is my parcel?");
    let (ticket, mut fact) = (Ticket::opened_by(turn_id), answer("Later."));
    set(&mut fact, ticket);
    talk.end(turn_id, fact);
    (talk, ticket.id)
}

/// The answer has come as a turn of its own.
fn answered(talk: &mut Talk, ticket: TicketId) {
    let mut fact = answer("It is on its way.");
    set(&mut fact, Ticket::answered(ticket));
    talk.add(TurnId::new(), [fact], Some("ticket"));
}

fn set(fact: &mut Fact, value: Ticket) {
    if let Fact::AnswerCompleted(answer) = fact {
        answer.ticket = Some(value);
    }
}

fn ids(rows: &[TicketRow]) -> Vec<TicketId> {
    rows.iter().map(|row| row.id).collect()
}

on_both! {
    async fn a_ticket_is_opened_and_closed_by_the_journal_alone(archive) {
        let (mut talk, id) = kept();
        keep(&archive, [&talk]).await;
        let opened = talk.last();
        assert_eq!(archive.open_tickets().await.unwrap(), 1);
        let rows = archive.lease_tickets(10, at(5), at(10)).await.unwrap();
        assert_eq!((rows[0].session_id, u64::from(rows[0].seq)), (talk.id(), 1));
        answered(&mut talk, id);
        // Steps that come again neither lose nor reopen it.
        for step in [talk.last(), talk.last(), opened] {
            take(&archive, step).await;
        }
        assert_eq!(archive.version(talk.id()).await.unwrap(), Some(talk.version));
        assert_eq!(archive.open_tickets().await.unwrap(), 0);
        assert!(archive.lease_tickets(10, at(99), at(100)).await.unwrap().is_empty());
    }

    async fn a_leased_ticket_is_nobody_elses_until_the_lease_ends(archive) {
        let tickets: Vec<_> = (0..3).map(|_| kept()).collect();
        keep(&archive, tickets.iter().map(|(talk, _)| talk)).await;
        let lease = || archive.lease_tickets(2, at(5), at(10));
        let (here, there) = tokio::join!(lease(), lease());
        let mut both = ids(&here.unwrap());
        both.extend(ids(&there.unwrap()));
        both.sort_unstable();
        both.dedup();
        // Whoever saw the same rows found them taken; what is left comes with the next look.
        assert!((2..=3).contains(&both.len()), "{both:?}");
        let rest = archive.lease_tickets(10, at(6), at(10)).await.unwrap();
        assert_eq!(both.len() + rest.len(), 3);
        let again = archive.lease_tickets(10, at(10), at(20)).await.unwrap();
        assert_eq!(again.len(), 3);
        assert!(again.iter().all(|row| u64::from(row.attempts) == 2));
        // A lease that has passed to somebody else is not given back by its old holder.
        archive.release_ticket(&rest.first().unwrap_or(&again[0]).clone(), at(11)).await.unwrap();
        archive.release_ticket(&again[1], at(11)).await.unwrap();
        let free = archive.lease_tickets(10, at(12), at(20)).await.unwrap();
        assert!(ids(&free).contains(&again[1].id));
        assert!(free.len() <= 2);
    }

    async fn an_erased_session_leaves_no_ticket_and_a_late_step_brings_none_back(archive) {
        let (talk, _) = kept();
        keep(&archive, [&talk]).await;
        let counts = archive.erase_session(talk.id(), talk.meta.owner).await.unwrap();
        assert_eq!(counts.tickets, 1);
        archive.advance(talk.steps().into()).await.unwrap();
        assert_eq!(archive.open_tickets().await.unwrap(), 0);
    }

    async fn a_mode_keeps_what_was_set_last_whatever_the_clock_says(archive) {
        assert_eq!(archive.mode("level").await.unwrap(), None);
        assert_eq!(archive.set_mode("level", &json!(4), at(10)).await.unwrap(), at(10));
        assert_eq!(archive.set_mode("level", &json!(null), at(5)).await.unwrap(), at(11));
        assert_eq!(archive.mode("level").await.unwrap(), Some((json!(null), at(11))));
    }
}
