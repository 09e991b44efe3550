//! The same question in the same words, in this process or on another replica.

use std::sync::Arc;

use super::{
    elsewhere::{self, Lead, Leadership},
    follow::follow,
    shared::Shared,
};
use crate::{
    cache::{Flight, FlightKey, Join},
    domain::CacheTier,
    log::TurnLog,
    turn::{ask::Ask, ports::Ports, reply::Reply},
};

/// How many failed leaders on other replicas a question tries before it is answered here.
const LEADERS: usize = 3;

/// A leader's places, in this process and among the replicas. Released on drop.
pub struct Place {
    _flight: Flight<TurnLog>,
    _leadership: Option<Leadership>,
}

/// Follows the same question in flight, or leads. If a leader ends without an answer, a follower
/// replaces it. A question after a conversation only follows: its own answer is for nobody else.
pub async fn same_words(ports: &Ports, ask: &Ask, reply: &mut Reply) -> Shared<Place> {
    // Tickets are not urgent, so a question with a waiting reader must not follow one.
    let Some(question) = ask.followable() else { return Shared::Alone };
    let key = FlightKey::new(&ask.partition, question);
    if ask.said.shareable().is_none() {
        let Some(leader) = ports.flights.leader(key) else { return Shared::Alone };
        let fact = follow(ports, ask, reply, &leader, CacheTier::Exact).await;
        return fact.map_or(Shared::Alone, |fact| Shared::Answered(Box::new(fact)));
    }
    let mut joined = ports.flights.join(key, || Arc::clone(reply.log()));
    loop {
        let leader = match joined {
            Join::Lead(flight) => return lead(ports, ask, reply, key, flight).await,
            Join::Follow(leader) => leader,
        };
        if let Some(fact) = follow(ports, ask, reply, &leader, CacheTier::Exact).await {
            return Shared::Answered(Box::new(fact));
        }
        joined = ports.flights.take_over(key, &leader, || Arc::clone(reply.log()));
    }
}

/// Leads in this process, and perhaps follows another replica. Without a model an answer costs less
/// than asking the other replicas.
async fn lead(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    key: FlightKey,
    flight: Flight<TurnLog>,
) -> Shared<Place> {
    let relay = ports.relay.as_ref().filter(|_| ports.model.is_some());
    for _ in 0..LEADERS {
        match elsewhere::lead(relay, &key, reply.log(), ports.turn.max_answer_bytes).await {
            Lead::Here(leadership) => {
                return Shared::Leading(Place { _flight: flight, _leadership: leadership });
            }
            Lead::Elsewhere(leader) => {
                if let Some(fact) = follow(ports, ask, reply, &leader, CacheTier::Exact).await {
                    return Shared::Answered(Box::new(fact));
                }
            }
        }
    }
    Shared::Leading(Place { _flight: flight, _leadership: None })
}
