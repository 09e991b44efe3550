//! The words of the contract as plain types: no I/O, no actor, no clock.
//!
//! Every other module imports from here and this module imports from none.

// A new variant of the contract must be decided at every match.
#![warn(clippy::wildcard_enum_match_arm)]

mod action;
mod address;
mod amount;
mod answer;
mod code;
mod controller;
mod event;
mod handoff;
mod hours;
mod ids;
mod lane;
mod language;
mod message;
mod number_formats;
pub mod one_time;
mod page_context;
mod principal;
mod reach;
mod session;
mod step;
mod text;
mod ticket;
mod time;
mod topic;
mod turn;

pub use action::{
    ActionOutcome, ActionState, ActionStatus, Card, Decided, Decision, Details, Draft, Field,
    Proposal, Quotas,
};
pub use address::AddressBlock;
pub use amount::Amount;
pub use answer::{Answer, Choice, Wants};
pub use code::{Challenge, ErrorCode, FieldError, Problem};
pub use controller::Controller;
pub use event::{CancelReason, Event, Fact, Live, Name, Part, newest_part, unfinished};
pub use handoff::{DutyState, HandoffEnd, HandoffState, Help, Loss, Party, People, Staff};
pub use hours::{Hours, HoursError, Opening};
pub use ids::{ActionId, HandoffId, MessageId, PrincipalId, SessionId, SiteId, TicketId, TurnId};
pub use lane::Lane;
pub use language::Language;
pub use message::{Message, MessageRole, MessageStatus, Rating};
pub use number_formats::{BadNumberFormat, NumberFormats, Typed};
pub use one_time::OneTimeCode;
pub use page_context::{BadField, CartItem, PageContext};
pub use principal::{Principal, Role};
pub use reach::is_public;
pub use session::{IdempotencyRecord, Running, SessionMeta, SessionState};
pub use step::{Append, Appended, Ending, Head, Malformed, Version};
pub use text::{is_blank, is_invisible, is_unseen, without_placeholders};
pub use ticket::{Ticket, TicketState};
pub use time::Timestamp;
pub use topic::{Coarse, Intent, SmallTalk, Topic};
pub use turn::{
    CacheInfo, CacheTier, Citation, FinishReason, Route, ServiceLevel, Stage, Timings, Usage,
};
