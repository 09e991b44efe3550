//! Whether a message is an errand for a tool of the shop. It is read by rules when the turn begins,
//! before anything is shared with others who ask the same.

use super::{ports::Ports, said::Said};
use crate::{
    assistant::errand::{Errand, Heard, orders_in, plan},
    config::Effect,
    domain::{ActionId, Language, SiteId},
    guard::Kind,
    triage::{Prior, TakesBack, consent, takes_back, triage},
};

pub fn read(
    ports: &Ports,
    site: &SiteId,
    said: &Said,
    language: Language,
    signed_in: bool,
    made: Vec<ActionId>,
) -> Option<Errand> {
    let toolbox = ports.tools.of(site);
    if toolbox.is_empty() {
        return None;
    }
    // Rules read their own earlier answers as they were shown: the name of a product may look like
    // that of a person.
    let told = said.told();
    let shown = |answer: &String| told.vault.restore(answer, &Kind::ALL);
    let answers: Vec<Option<String>> =
        said.history().iter().map(|exchange| exchange.answer.as_ref().map(shown)).collect();
    let users = said.history().iter().map(|exchange| exchange.user.as_str());
    let earlier: Vec<(&str, Option<&str>)> =
        users.zip(answers.iter().map(Option::as_deref)).collect();
    let prior = Prior { language: Some(language), ..Prior::default() };
    let understood = triage(said.text(), None, &prior);
    if understood.asks_for_person {
        return None;
    }
    let formats = &ports.shop(site).own.numbers;
    let planned = plan(&Heard {
        text: said.text(),
        earlier: &earlier,
        intent: &understood.intent,
        language,
        formats,
        signed_in,
        value: &|mask| {
            told.vault.pairs().find(|(name, _)| *name == mask).map(|(_, value)| value.to_owned())
        },
        consent: &|text| consent(text, None),
        has: &|name| toolbox.get(name).is_some(),
    });
    // "Mach das" looks like a name.
    let how = takes_back(&told.vault.restore(said.text(), &Kind::ALL));
    let means_back = match how {
        None => false,
        Some(TakesBack::Button) => true,
        Some(TakesBack::Said) => !made.is_empty(),
        Some(TakesBack::Regret) => !made.is_empty() && planned.is_none(),
    };
    if !means_back {
        return planned;
    }
    // Some of these words also mean "cancel", and who wants something back wants nothing cancelled.
    let changes = |errand: &Errand| match errand {
        Errand::Call(calls) => calls
            .iter()
            .any(|call| toolbox.get(call.tool).is_some_and(|tool| tool.effect == Effect::Write)),
        Errand::Ask { .. } | Errand::Undo { .. } => true,
    };
    let otherwise = planned.filter(|errand| !changes(errand)).map(Box::new);
    let orders = orders_in(said.text(), language, formats);
    Some(Errand::Undo { made, orders, otherwise })
}
