//! A question with the same meaning as one in flight, by the cache's own rules.

use super::{follow::follow, shared::Shared};
use crate::{
    cache::{Join, SimilarFlight},
    domain::CacheTier,
    embedding::messages::Embedding,
    log::TurnLog,
    turn::{ask::Ask, ports::Ports, reply::Reply},
};

/// Follows a question in flight that would be a semantic hit, or leads, as for the same words.
/// Without a model there is no answer worth waiting for.
pub async fn same_meaning(
    ports: &Ports,
    ask: &Ask,
    reply: &mut Reply,
    embedding: Option<&Embedding>,
) -> Shared<SimilarFlight<TurnLog>> {
    let whole = embedding.filter(|embedding| !embedding.truncated);
    let (Some(embedding), Some(question), Some(_), Some(_)) =
        (whole, ask.followable(), &ports.cache, &ports.model)
    else {
        return Shared::Alone;
    };
    if ask.said.shareable().is_none() {
        let leader = ports.similar.leader(&ask.partition, question, &embedding.vector);
        let Some(leader) = leader else { return Shared::Alone };
        let fact = follow(ports, ask, reply, &leader, CacheTier::Semantic).await;
        return fact.map_or(Shared::Alone, |fact| Shared::Answered(Box::new(fact)));
    }
    let mut dead = None;
    loop {
        let (vector, log) = (&embedding.vector, reply.log());
        match ports.similar.join(&ask.partition, question, vector, log, dead.as_ref()) {
            Join::Lead(led) => return Shared::Leading(led),
            Join::Follow(leader) => {
                if let Some(fact) = follow(ports, ask, reply, &leader, CacheTier::Semantic).await {
                    return Shared::Answered(Box::new(fact));
                }
                dead = Some(leader);
            }
        }
    }
}
