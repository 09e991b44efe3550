//! Who may speak in a session: what a person's command leads to.

use super::messages::{Act, Lost, SessionError};
use crate::domain::{
    Answer, Controller, Fact, HandoffEnd, HandoffId, Loss, MessageId, Party, People, Principal,
    Role, SessionMeta, SessionState,
};

/// What a handoff says that nobody asked for in words.
pub const TAKEN_OVER: &str = "an agent took over";
const PASSED_ON: &str = "an agent passed it on";
const LOST: &str = "the agent is gone";

/// The facts that `act` makes, in their order; none if it is so already. `asker`: absent for the
/// service itself. `heard`: `seq` of the shopper's newest message.
///
/// # Errors
/// Why the command is refused.
pub fn judge(
    meta: &SessionMeta,
    heard: u64,
    asker: Option<&Principal>,
    act: &Act,
) -> Result<Vec<Fact>, SessionError> {
    let mut facts = Vec::new();
    let by = party(asker);
    let own = asker.map(|asker| Controller::Agent(asker.id));
    let is_controller = own == Some(meta.controller);
    let is_staffed = meta.controller != Controller::Bot;
    let conflict = || SessionError::Conflict { controller: meta.controller, epoch: meta.epoch };
    match act {
        Act::Request { .. } if is_staffed || meta.handoff.is_some() => {}
        Act::Request { reason, language, position, eta_ms } => {
            reopen(meta, &mut facts);
            let handoff_id = HandoffId::new();
            let (reason, language) = (reason.clone(), *language);
            facts.push(People::HandoffRequested { handoff_id, reason, language, urgent: false });
            let (position, eta_ms) = (*position, *eta_ms);
            facts.push(People::HandoffQueued { handoff_id, position, eta_ms });
        }
        Act::Accept { .. } if is_controller => {}
        Act::Accept { .. } if is_staffed => return Err(conflict()),
        Act::Accept { agent } => {
            let Some(controller) = own else { return Err(conflict()) };
            reopen(meta, &mut facts);
            let handoff_id = meta.handoff.unwrap_or_else(|| {
                let (handoff_id, reason) = (HandoffId::new(), TAKEN_OVER.to_owned());
                facts.push(People::HandoffRequested {
                    handoff_id,
                    reason,
                    language: None,
                    urgent: false,
                });
                handoff_id
            });
            facts.push(People::HandoffAccepted { handoff_id, agent: agent.clone() });
            facts.push(People::ControlChanged { controller });
        }
        Act::Say { .. } if !is_controller => return Err(conflict()),
        Act::Say { last_seen_seq, .. } if heard > *last_seen_seq => {
            return Err(SessionError::StaleView { seq: heard });
        }
        Act::Say { last_seen_seq, .. } if *last_seen_seq > meta.last_seq => {
            return Err(SessionError::Ahead { seq: meta.last_seq });
        }
        Act::Say { text, client_message_id, agent, .. } => facts.push(People::AgentMessage {
            message_id: MessageId::new(),
            text: text.clone(),
            agent: agent.clone(),
            client_message_id: client_message_id.clone(),
        }),
        // A shopper may go back to the assistant at any time.
        Act::Release { .. } if is_staffed && by == Party::Agent && !is_controller => {
            return Err(conflict());
        }
        Act::Release { to: HandoffEnd::Queue, position, .. } if is_staffed => {
            end(meta, by, HandoffEnd::Queue, None, &mut facts);
            let handoff_id = HandoffId::new();
            let (reason, language) = (PASSED_ON.to_owned(), None);
            facts.push(People::HandoffRequested { handoff_id, reason, language, urgent: true });
            let position = *position;
            facts.push(People::HandoffQueued { handoff_id, position, eta_ms: None });
        }
        // It waits already, or nobody has asked for a person.
        Act::Release { to: HandoffEnd::Queue, .. } => {}
        Act::Release { .. } => end(meta, by, HandoffEnd::Bot, None, &mut facts),
        Act::GiveBack { lost: Lost { handoff, agent, .. }, .. }
            if meta.handoff != Some(*handoff) || meta.controller != Controller::Agent(*agent) => {}
        Act::GiveBack { lost, position, eta_ms, answer } => {
            end(meta, by, HandoffEnd::Queue, Some(lost.reason), &mut facts);
            let handoff_id = HandoffId::new();
            let (reason, language) = (LOST.to_owned(), Some(lost.language));
            facts.push(People::HandoffRequested { handoff_id, reason, language, urgent: true });
            let (position, eta_ms) = (*position, *eta_ms);
            facts.push(People::HandoffQueued { handoff_id, position, eta_ms });
            return Ok(told(facts, answer));
        }
        Act::Transfer { to, .. } if meta.controller == Controller::Agent(*to) => {}
        Act::Transfer { .. } if !is_controller => return Err(conflict()),
        Act::Transfer { to, agent } => {
            let handoff_id = meta.handoff.unwrap_or_else(HandoffId::new);
            facts.push(People::HandoffAccepted { handoff_id, agent: agent.clone() });
            facts.push(People::ControlChanged { controller: Controller::Agent(*to) });
        }
        Act::Close if is_staffed && by == Party::Agent && !is_controller => {
            return Err(conflict());
        }
        Act::Close if meta.state == SessionState::Closed => {}
        Act::Close => {
            end(meta, by, HandoffEnd::Closed, None, &mut facts);
            facts.push(People::SessionClosed { by });
        }
        Act::Rate { of, score, comment } => {
            let (of, score, comment) = (*of, *score, comment.clone());
            facts.push(People::SessionRated { of, score, comment });
        }
        Act::Expire { handoff, answer } => {
            if is_staffed || meta.handoff != Some(*handoff) {
                return Ok(Vec::new());
            }
            end(meta, by, HandoffEnd::Bot, None, &mut facts);
            return Ok(told(facts, answer));
        }
    }
    Ok(facts.into_iter().map(Fact::People).collect())
}

/// The facts, and what the shopper is told of them.
fn told(facts: Vec<People>, answer: &Answer) -> Vec<Fact> {
    let facts = facts.into_iter().map(Fact::People);
    facts.chain([Fact::AnswerCompleted(answer.clone())]).collect()
}

/// Ends what is open: the handoff, and the control of a person.
fn end(
    meta: &SessionMeta,
    by: Party,
    to: HandoffEnd,
    reason: Option<Loss>,
    facts: &mut Vec<People>,
) {
    let ended = |handoff_id| People::HandoffEnded { handoff_id, by, to, reason };
    facts.extend(meta.handoff.map(ended));
    if meta.controller != Controller::Bot {
        facts.push(People::ControlChanged { controller: Controller::Bot });
    }
}

fn reopen(meta: &SessionMeta, facts: &mut Vec<People>) {
    if meta.state == SessionState::Closed {
        facts.push(People::SessionReopened);
    }
}

/// On which side somebody stands.
pub fn party(asker: Option<&Principal>) -> Party {
    match asker.map(|asker| asker.role) {
        None => Party::Service,
        Some(Role::Visitor | Role::Customer) => Party::Shopper,
        Some(Role::Agent | Role::Admin) => Party::Agent,
        Some(Role::Server) => Party::Shop,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Language, PrincipalId, Route, Staff},
        journal::tests::meta,
    };

    fn somebody(role: Role) -> Principal {
        Principal { id: PrincipalId::new(), role, site_id: meta().site_id }
    }

    /// As the session does.
    fn take(meta: &mut SessionMeta, facts: &[Fact]) -> Vec<String> {
        facts.iter().for_each(|fact| meta.take(fact));
        facts.iter().map(|fact| fact.name().into_owned()).collect()
    }

    fn request() -> Act {
        Act::Request { reason: "asked".into(), language: None, position: 1, eta_ms: None }
    }

    fn accept() -> Act {
        Act::Accept { agent: Staff::default() }
    }

    fn say(last_seen_seq: u64) -> Act {
        Act::Say {
            text: "hello".into(),
            client_message_id: None,
            last_seen_seq,
            agent: Staff::default(),
        }
    }

    fn release(to: HandoffEnd) -> Act {
        Act::Release { to, position: 1 }
    }

    #[test]
    fn a_handoff_is_asked_for_once_taken_once_and_ends() {
        let (mut meta, shopper, agent) = (meta(), somebody(Role::Visitor), somebody(Role::Agent));
        let act = |meta: &mut SessionMeta, by: &Principal, act: &Act| {
            let facts = judge(meta, 0, Some(by), act).unwrap();
            take(meta, &facts)
        };
        let asked = act(&mut meta, &shopper, &request());
        assert_eq!(asked, ["handoff.requested", "handoff.queued"]);
        assert!(act(&mut meta, &shopper, &request()).is_empty());
        let taken = act(&mut meta, &agent, &accept());
        assert_eq!(taken, ["handoff.accepted", "control.changed"]);
        assert!(act(&mut meta, &agent, &accept()).is_empty());
        assert!(act(&mut meta, &shopper, &request()).is_empty());
        assert_eq!((meta.controller, meta.epoch), (Controller::Agent(agent.id), 1));
        let ended = act(&mut meta, &agent, &release(HandoffEnd::Bot));
        assert_eq!(ended, ["handoff.ended", "control.changed"]);
        assert_eq!((meta.controller, meta.epoch, meta.handoff), (Controller::Bot, 2, None));
        assert!(act(&mut meta, &agent, &release(HandoffEnd::Bot)).is_empty());
    }

    #[test]
    fn an_agent_may_take_over_unasked_and_pass_it_on() {
        let (mut meta, agent, other) = (meta(), somebody(Role::Agent), somebody(Role::Agent));
        let facts = judge(&meta, 0, Some(&agent), &accept()).unwrap();
        let names = take(&mut meta, &facts);
        assert_eq!(names, ["handoff.requested", "handoff.accepted", "control.changed"]);
        let transfer = Act::Transfer { to: other.id, agent: Staff::default() };
        let facts = judge(&meta, 0, Some(&agent), &transfer).unwrap();
        take(&mut meta, &facts);
        assert_eq!((meta.controller, meta.epoch), (Controller::Agent(other.id), 2));
        let before = meta.handoff;
        let facts = judge(&meta, 0, Some(&other), &release(HandoffEnd::Queue)).unwrap();
        let names = take(&mut meta, &facts);
        let expected = ["handoff.ended", "control.changed", "handoff.requested", "handoff.queued"];
        assert_eq!(names, expected);
        assert_eq!(meta.controller, Controller::Bot);
        assert!(meta.handoff.is_some() && meta.handoff != before);
    }

    #[test]
    fn only_the_controller_speaks_passes_on_and_closes() {
        let (mut meta, agent, other) = (meta(), somebody(Role::Agent), somebody(Role::Admin));
        let conflict = |meta: &SessionMeta| SessionError::Conflict {
            controller: meta.controller,
            epoch: meta.epoch,
        };
        let said = judge(&meta, 0, Some(&agent), &say(9));
        assert_eq!(said, Err(conflict(&meta)), "the bot has control");
        let facts = judge(&meta, 0, Some(&agent), &accept()).unwrap();
        take(&mut meta, &facts);
        assert_eq!(judge(&meta, 0, Some(&agent), &say(0)).unwrap().len(), 1);
        let transfer = Act::Transfer { to: other.id, agent: Staff::default() };
        let requeue = release(HandoffEnd::Queue);
        for act in [say(9), accept(), release(HandoffEnd::Bot), requeue, Act::Close] {
            assert_eq!(judge(&meta, 0, Some(&other), &act), Err(conflict(&meta)), "{act:?}");
        }
        let third = somebody(Role::Agent);
        assert_eq!(judge(&meta, 0, Some(&third), &transfer), Err(conflict(&meta)));
        // The shopper is not asked who may speak.
        let shopper = somebody(Role::Customer);
        for act in [release(HandoffEnd::Bot), Act::Close] {
            assert!(judge(&meta, 0, Some(&shopper), &act).is_ok(), "{act:?}");
        }
    }

    #[test]
    fn nobody_answers_what_they_have_not_read() {
        let (mut meta, agent) = (meta(), somebody(Role::Agent));
        let facts = judge(&meta, 0, Some(&agent), &accept()).unwrap();
        take(&mut meta, &facts);
        meta.last_seq = 8;
        let stale = judge(&meta, 7, Some(&agent), &say(6));
        assert_eq!(stale, Err(SessionError::StaleView { seq: 7 }));
        let ahead = judge(&meta, 7, Some(&agent), &say(9));
        assert_eq!(ahead, Err(SessionError::Ahead { seq: 8 }));
        assert!(judge(&meta, 7, Some(&agent), &say(7)).is_ok());
    }

    #[test]
    fn a_closed_session_is_closed_once_and_opens_again() {
        let (mut meta, agent) = (meta(), somebody(Role::Agent));
        for act in [accept(), Act::Close] {
            let facts = judge(&meta, 0, Some(&agent), &act).unwrap();
            take(&mut meta, &facts);
        }
        assert_eq!((meta.state, meta.controller), (SessionState::Closed, Controller::Bot));
        assert!(judge(&meta, 0, Some(&agent), &Act::Close).unwrap().is_empty());
        let facts = judge(&meta, 0, Some(&agent), &accept()).unwrap();
        assert_eq!(take(&mut meta, &facts)[0], "session.reopened");
        assert_eq!(meta.state, SessionState::Open);
    }

    #[test]
    fn a_conversation_whose_agent_is_gone_goes_back_once_and_no_other_one_does() {
        let (mut meta, agent, other) = (meta(), somebody(Role::Agent), somebody(Role::Agent));
        let facts = judge(&meta, 0, Some(&agent), &accept()).unwrap();
        take(&mut meta, &facts);
        let answer = Box::new(Answer::new("somebody else comes", Route::Human));
        let give_back = |handoff, agent: &Principal| {
            let (reason, language) = (Loss::AgentAway, Language::De);
            let lost = Lost { handoff, agent: agent.id, reason, language };
            Act::GiveBack { lost, position: 1, eta_ms: None, answer: answer.clone() }
        };
        let before = meta.handoff.unwrap();
        for act in [give_back(HandoffId::new(), &agent), give_back(before, &other)] {
            assert!(judge(&meta, 0, None, &act).unwrap().is_empty(), "{act:?}");
        }
        let facts = judge(&meta, 0, None, &give_back(before, &agent)).unwrap();
        let Fact::People(People::HandoffEnded { by, to, reason, .. }) = &facts[0] else {
            panic!("{facts:?}")
        };
        let expected = (&Party::Service, &HandoffEnd::Queue, &Some(Loss::AgentAway));
        assert_eq!((by, to, reason), expected);
        let Fact::People(People::HandoffRequested { urgent, language, .. }) = &facts[2] else {
            panic!("{facts:?}")
        };
        assert_eq!((urgent, language), (&true, &Some(Language::De)));
        let names = take(&mut meta, &facts);
        let queued = ["handoff.requested", "handoff.queued", "answer.completed"];
        assert_eq!(names, [&["handoff.ended", "control.changed"][..], &queued].concat());
        assert_eq!((meta.controller, meta.epoch), (Controller::Bot, 2));
        assert!(meta.handoff.is_some_and(|handoff| handoff != before));
        assert!(judge(&meta, 0, None, &give_back(before, &agent)).unwrap().is_empty());
    }

    #[test]
    fn a_handoff_that_nobody_takes_ends_with_an_answer_and_no_other_one_does() {
        let (mut meta, shopper) = (meta(), somebody(Role::Visitor));
        let facts = judge(&meta, 0, Some(&shopper), &request()).unwrap();
        take(&mut meta, &facts);
        let answer = Box::new(Answer::new("nobody came", Route::Template));
        let expire = |handoff| Act::Expire { handoff, answer: answer.clone() };
        let other = judge(&meta, 0, None, &expire(HandoffId::new())).unwrap();
        assert!(other.is_empty());
        let waiting = meta.handoff.unwrap();
        let facts = judge(&meta, 0, None, &expire(waiting)).unwrap();
        let names = take(&mut meta, &facts);
        assert_eq!(names, ["handoff.ended", "answer.completed"]);
        assert!(judge(&meta, 0, None, &expire(waiting)).unwrap().is_empty());
    }
}
