//! How the words of the domain stand in columns: identifiers and closed sets as text, times as
//! whole milliseconds, lists as JSON, vectors as little-endian `f32`. A value that cannot be read
//! back is an error.

use std::{borrow::Borrow as _, fmt, io::Write as _};

use diesel::{
    backend::Backend,
    deserialize::{self, FromSql, Queryable},
    expression::AsExpression,
    mysql::Mysql,
    serialize::{self, IsNull, Output, ToSql},
    sql_types::{BigInt, Binary, Nullable, Text},
    sqlite::Sqlite,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use utoipa::ToSchema;
use uuid::Uuid;

use crate::{
    config::Secret,
    domain::{
        ActionId, ActionState, Citation, Controller, Decision, DutyState, Event, HandoffEnd,
        HandoffId, HandoffState, Head, Language, MessageId, MessageRole, MessageStatus,
        PageContext, PrincipalId, Rating, Role, Route, SessionId, SessionState, SiteId, TicketId,
        Timestamp, TurnId,
    },
};

/// Identifies a row that has no type of its own in the domain: a UUIDv7, so rows sort by creation.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema,
)]
#[serde(transparent)]
#[schema(value_type = Uuid)]
pub struct RecordId(pub Uuid);

impl RecordId {
    #[expect(clippy::new_without_default, reason = "a default id would be a surprise")]
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }
}

impl fmt::Display for RecordId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl std::str::FromStr for RecordId {
    type Err = uuid::Error;
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Uuid::parse_str(text).map(Self)
    }
}

/// Lets `$type` stand for a `$sql` column of both databases: `$write` makes a `$raw` of it, `$read`
/// takes it back.
macro_rules! column {
    ($($type:ty as $sql:ty, $raw:ty: $write:expr, $read:expr;)+) => {$(
        column!(@expression $type, $type, $sql, $raw: $write);
        column!(@expression $type, &$type, $sql, $raw: $write);
        column!(@expression $type, $type, Nullable<$sql>, $raw: $write);
        column!(@expression $type, &$type, Nullable<$sql>, $raw: $write);

        impl ToSql<$sql, Mysql> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Mysql>) -> serialize::Result {
                let write: fn(&$type) -> $raw = $write;
                out.write_all(write(self).bytes().as_ref())?;
                Ok(IsNull::No)
            }
        }

        impl ToSql<$sql, Sqlite> for $type {
            fn to_sql<'b>(&'b self, out: &mut Output<'b, '_, Sqlite>) -> serialize::Result {
                let write: fn(&$type) -> $raw = $write;
                out.set_value(write(self));
                Ok(IsNull::No)
            }
        }

        impl<DB: Backend> FromSql<$sql, DB> for $type
        where
            $raw: FromSql<$sql, DB>,
        {
            fn from_sql(bytes: DB::RawValue<'_>) -> deserialize::Result<Self> {
                let read: fn($raw) -> Option<$type> = $read;
                read(<$raw as FromSql<$sql, DB>>::from_sql(bytes)?)
                    .ok_or_else(|| concat!("not a value of ", stringify!($type)).into())
            }
        }

        impl<DB: Backend> Queryable<$sql, DB> for $type
        where
            Self: FromSql<$sql, DB>,
        {
            type Row = Self;
            fn build(row: Self) -> deserialize::Result<Self> {
                Ok(row)
            }
        }
    )+};
    (@expression $type:ty, $held:ty, $sql:ty, $raw:ty: $write:expr) => {
        impl AsExpression<$sql> for $held {
            type Expression = <$raw as AsExpression<$sql>>::Expression;
            fn as_expression(self) -> Self::Expression {
                let write: fn(&$type) -> $raw = $write;
                AsExpression::<$sql>::as_expression(write(self.borrow()))
            }
        }
    };
}

/// What a raw value is on the wire to MySQL; diesel states the type beside it.
trait MysqlBytes {
    type Bytes: AsRef<[u8]>;
    fn bytes(self) -> Self::Bytes;
}

impl MysqlBytes for String {
    type Bytes = Vec<u8>;
    fn bytes(self) -> Vec<u8> {
        self.into_bytes()
    }
}

impl MysqlBytes for Vec<u8> {
    type Bytes = Self;
    fn bytes(self) -> Self {
        self
    }
}

impl MysqlBytes for i64 {
    type Bytes = [u8; 8];
    fn bytes(self) -> [u8; 8] {
        self.to_ne_bytes()
    }
}

/// A number that is never negative in a column that could be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Count(pub u64);

impl From<u64> for Count {
    fn from(number: u64) -> Self {
        Self(number)
    }
}

impl From<Count> for u64 {
    fn from(count: Count) -> Self {
        count.0
    }
}

/// A value as JSON text.
#[derive(Clone, Debug, PartialEq)]
pub struct Json<T>(pub T);

/// `value` as JSON text.
pub(super) fn json(value: &impl Serialize) -> String {
    // What stands in columns has text keys only, which is all that JSON can refuse; an empty text
    // would be seen as damage when it is read.
    serde_json::to_string(value).unwrap_or_else(|_| String::new())
}

impl<T: Serialize + DeserializeOwned> Json<T> {
    fn write(&self) -> String {
        json(&self.0)
    }

    #[expect(clippy::needless_pass_by_value, reason = "the shape of a column's reader")]
    fn read(text: String) -> Option<Self> {
        serde_json::from_str(&text).ok().map(Self)
    }
}

impl<T> From<T> for Json<T> {
    fn from(value: T) -> Self {
        Self(value)
    }
}

impl From<Json<Self>> for Vec<String> {
    fn from(json: Json<Self>) -> Self {
        json.0
    }
}

impl From<Json<Self>> for serde_json::Value {
    fn from(json: Json<Self>) -> Self {
        json.0
    }
}

/// An embedding as little-endian `f32`.
#[derive(Clone, Debug, PartialEq)]
pub struct Vector(pub Vec<f32>);

impl Vector {
    fn write(&self) -> Vec<u8> {
        self.0.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    fn read(bytes: Vec<u8>) -> Option<Self> {
        let (numbers, rest) = bytes.as_chunks::<4>();
        rest.is_empty()
            .then(|| Self(numbers.iter().map(|number| f32::from_le_bytes(*number)).collect()))
    }
}

impl From<Vec<f32>> for Vector {
    fn from(numbers: Vec<f32>) -> Self {
        Self(numbers)
    }
}

impl From<Vector> for Vec<f32> {
    fn from(vector: Vector) -> Self {
        vector.0
    }
}

/// A value of a closed set by the name that `name` gives it.
fn named<T: Copy>(text: &str, all: &[T], name: impl Fn(T) -> &'static str) -> Option<T> {
    all.iter().copied().find(|value| name(*value) == text)
}

const fn role_name(role: MessageRole) -> &'static str {
    match role {
        MessageRole::User => "user",
        MessageRole::Assistant => "assistant",
        MessageRole::Agent => "agent",
    }
}

const fn status_name(status: MessageStatus) -> &'static str {
    match status {
        MessageStatus::Complete => "complete",
        MessageStatus::Failed => "failed",
        MessageStatus::Cancelled => "cancelled",
        MessageStatus::Streaming => "streaming",
    }
}

column! {
    SessionId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    TurnId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    ActionId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    ActionState as Text, String:
        |state| state.as_str().to_owned(), |text| ActionState::parse(&text);
    HandoffId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    HandoffEnd as Text, String:
        |end| end.as_str().to_owned(), |text| named(&text, &HandoffEnd::ALL, HandoffEnd::as_str);
    HandoffState as Text, String:
        |state| state.as_str().to_owned(),
        |text| named(&text, &HandoffState::ALL, HandoffState::as_str);
    DutyState as Text, String:
        |state| state.as_str().to_owned(),
        |text| named(&text, &DutyState::ALL, DutyState::as_str);
    Decision as Text, String:
        |decision| decision.as_str().to_owned(),
        |text| named(&text, &Decision::ALL, Decision::as_str);
    Language as Text, String:
        |language| language.code().to_owned(), |text| Language::parse(&text);
    TicketId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    MessageId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    PrincipalId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    RecordId as Text, String: |id| id.to_string(), |text| text.parse().ok();
    SiteId as Text, String: |id| id.to_string(), |text| SiteId::parse(&text);
    Head as Text, String: |head| head.to_string(), |text| text.parse().ok();
    Controller as Text, String: |controller| controller.to_string(), |text| text.parse().ok();
    Secret as Text, String: |secret| secret.expose().to_owned(), |text| Some(Secret::new(text));
    Role as Text, String: |role| role.as_str().to_owned(), |text| Role::parse(&text);
    Route as Text, String:
        |route| route.as_str().to_owned(),
        |text| named(&text, &Route::ALL, Route::as_str);
    Rating as Text, String:
        |rating| rating.as_str().to_owned(),
        |text| named(&text, &[Rating::Up, Rating::Down], Rating::as_str);
    SessionState as Text, String:
        |state| state.as_str().to_owned(),
        |text| named(&text, &[SessionState::Open, SessionState::Closed], SessionState::as_str);
    MessageRole as Text, String:
        |role| role_name(*role).to_owned(),
        |text| named(&text, &[MessageRole::User, MessageRole::Assistant, MessageRole::Agent], role_name);
    MessageStatus as Text, String:
        |status| status_name(*status).to_owned(),
        |text| named(
            &text,
            &[
                MessageStatus::Complete,
                MessageStatus::Failed,
                MessageStatus::Cancelled,
                MessageStatus::Streaming,
            ],
            status_name,
        );
    Timestamp as BigInt, i64: |time| time.as_millis(), |millis| Some(Timestamp::from_millis(millis));
    Count as BigInt, i64:
        |count| i64::try_from(count.0).unwrap_or(i64::MAX),
        |number| u64::try_from(number).ok().map(Count);
    Vector as Binary, Vec<u8>: Vector::write, Vector::read;
    Json<Event> as Text, String: Json::write, Json::read;
    Json<serde_json::Value> as Text, String: Json::write, Json::read;
    Json<PageContext> as Text, String: Json::write, Json::read;
    Json<Vec<String>> as Text, String: Json::write, Json::read;
    Json<Vec<Citation>> as Text, String: Json::write, Json::read;
}
