//! What can go wrong at the archive, as situations that a caller can act on.

use diesel::result::{ConnectionError, DatabaseErrorKind, Error};

use crate::domain::ErrorCode;

/// Carries no customer text: whatever a database quotes is left out of `reason`.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ArchiveError {
    /// The database cannot be reached or is busy beyond its limits. After a lost connection it is
    /// unknown whether the change was kept; the same change may be sent again.
    #[error("archive unavailable: {0}")]
    Unavailable(String),
    /// No answer in time. Whether the change was kept is unknown; the same change may be sent
    /// again.
    #[error("archive did not answer in time")]
    Timeout,
    /// What is to be written contradicts what is there. Read again before writing.
    #[error("conflicts with data in the archive")]
    Conflict,
    /// No room for more. Reading still works.
    #[error("archive is full")]
    Full,
    /// A row or the file cannot be understood. An operator must look.
    #[error("archive is damaged: {0}")]
    Corrupt(String),
    /// The database refuses the statement; the same statement will never succeed.
    #[error("archive refused the statement: {0}")]
    Rejected(String),
}

impl ArchiveError {
    /// Label of metrics.
    pub const fn as_str(&self) -> &'static str {
        match self {
            Self::Unavailable(_) => "unavailable",
            Self::Timeout => "timeout",
            Self::Conflict => "conflict",
            Self::Full => "full",
            Self::Corrupt(_) => "corrupt",
            Self::Rejected(_) => "rejected",
        }
    }

    /// What a client is told.
    pub const fn code(&self) -> ErrorCode {
        match self {
            Self::Unavailable(_) | Self::Timeout | Self::Full => ErrorCode::DependencyUnavailable,
            Self::Conflict => ErrorCode::Conflict,
            Self::Corrupt(_) | Self::Rejected(_) => ErrorCode::Internal,
        }
    }

    /// Whether the archive does not answer; one that is full does.
    pub const fn is_away(&self) -> bool {
        matches!(self, Self::Unavailable(_) | Self::Timeout)
    }

    /// Whether the fault lies with the archive as a whole, not with what was sent to it.
    pub const fn concerns_all(&self) -> bool {
        match self {
            Self::Unavailable(_) | Self::Timeout | Self::Full => true,
            Self::Conflict | Self::Corrupt(_) | Self::Rejected(_) => false,
        }
    }
}

impl From<ConnectionError> for ArchiveError {
    fn from(error: ConnectionError) -> Self {
        match error {
            // The reason may quote the URL, and the URL holds a password.
            ConnectionError::InvalidConnectionUrl(_) => {
                Self::Rejected("the database URL is not valid".into())
            }
            ConnectionError::CouldntSetupConfiguration(error) => Self::from(error),
            other => Self::Unavailable(without_quoted(&other.to_string())),
        }
    }
}

impl From<Error> for ArchiveError {
    fn from(error: Error) -> Self {
        match error {
            Error::DatabaseError(DatabaseErrorKind::UniqueViolation, _) => Self::Conflict,
            Error::DatabaseError(
                DatabaseErrorKind::ClosedConnection | DatabaseErrorKind::UnableToSendCommand,
                detail,
            ) => Self::Unavailable(without_quoted(detail.message())),
            Error::DatabaseError(_, detail) => from_message(detail.message()),
            Error::DeserializationError(error) => Self::Corrupt(without_quoted(&error.to_string())),
            Error::NotFound => Self::Corrupt("a row that must be there is missing".into()),
            Error::RollbackErrorOnCommit { commit_error, .. } => Self::from(*commit_error),
            other => Self::Unavailable(without_quoted(&other.to_string())),
        }
    }
}

/// Neither driver passes the server's error number on, so the message decides.
pub(super) fn from_message(message: &str) -> ArchiveError {
    const FULL: [&str; 4] = ["is full", "disk full", "no space left", "quota exceeded"];
    const DAMAGED: [&str; 3] = ["malformed", "not a database", "marked as crashed"];
    const TRANSIENT: [&str; 19] = [
        "broken pipe",
        "connection closed",
        "connection refused",
        "connection reset",
        "disconnected",
        "driver error",
        "input/output error",
        "disk i/o error",
        "locked",
        "deadlock",
        "lock wait timeout",
        "shutdown",
        "connection was killed",
        "gone away",
        "too many connections",
        "read-only",
        "readonly",
        "unable to open",
        "interrupted",
    ];
    let lower = message.to_lowercase();
    let says = |words: &[&str]| words.iter().any(|word| lower.contains(word));
    let reason = without_quoted(message);
    if says(&FULL) {
        ArchiveError::Full
    } else if says(&DAMAGED) {
        ArchiveError::Corrupt(reason)
    } else if says(&TRANSIENT) {
        ArchiveError::Unavailable(reason)
    } else {
        ArchiveError::Rejected(reason)
    }
}

/// True where InnoDB rolled the transaction back so that another could go on; it may simply run
/// again.
pub(super) fn is_deadlock(error: &Error) -> bool {
    matches!(error, Error::DatabaseError(_, detail) if detail.message().starts_with("Deadlock found"))
}

/// Aborts a transaction whose writes would contradict what is there.
pub(super) fn conflict() -> Error {
    Error::DatabaseError(DatabaseErrorKind::UniqueViolation, Box::new("conflict".to_owned()))
}

/// `message` without what stands in quotes (it may be a customer's words), at most 200 characters.
fn without_quoted(message: &str) -> String {
    let mut quoted = false;
    let mut kept = String::new();
    for c in message.chars() {
        match c {
            '\'' | '"' | '`' => {
                quoted = !quoted;
                if quoted {
                    kept.push('…');
                }
            }
            _ if quoted => {}
            _ => kept.push(c),
        }
    }
    kept.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reason_never_quotes_what_was_written() {
        let message = "Incorrect string value: 'my card is 4111' for column 'text' at row 1";
        assert_eq!(
            from_message(message),
            ArchiveError::Rejected("Incorrect string value: … for column … at row 1".into())
        );
    }

    #[test]
    fn a_message_is_read_as_the_situation_it_describes() {
        assert_eq!(from_message("database or disk is full"), ArchiveError::Full);
        assert_eq!(from_message("The table 'events' is full"), ArchiveError::Full);
        for transient in [
            "database is locked",
            "Input/output error: connection closed",
            "Deadlock found when trying to get lock; try restarting transaction",
        ] {
            assert_eq!(from_message(transient).as_str(), "unavailable", "{transient}");
        }
        assert_eq!(from_message("database disk image is malformed").as_str(), "corrupt");
        assert_eq!(from_message("Data too long for column 'locale'").as_str(), "rejected");
    }
}
