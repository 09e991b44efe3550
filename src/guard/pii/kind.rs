//! The kinds of personal data that are masked.

/// A kind of personal data.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    Email,
    Iban,
    Ip,
    Card,
    Ssn,
    Phone,
    /// A bank account, a sort code or a routing number.
    Account,
    Passport,
    /// Of a driver.
    Licence,
    Password,
    /// A PIN or a one-time code.
    Pin,
    /// The three or four digits that protect a card.
    Cvv,
    /// A key or a token of a program.
    Token,
    /// Of a person.
    Name,
    /// Where post goes, or a part of it: a street with its number, a postcode.
    Address,
    BirthDate,
}

impl Kind {
    pub const ALL: [Self; 16] = [
        Self::Email,
        Self::Iban,
        Self::Ip,
        Self::Card,
        Self::Ssn,
        Self::Phone,
        Self::Account,
        Self::Passport,
        Self::Licence,
        Self::Password,
        Self::Pin,
        Self::Cvv,
        Self::Token,
        Self::Name,
        Self::Address,
        Self::BirthDate,
    ];

    pub const fn label(self) -> &'static str {
        match self {
            Self::Email => "EMAIL",
            Self::Iban => "IBAN",
            Self::Ip => "IP",
            Self::Card => "CARD",
            Self::Ssn => "SSN",
            Self::Phone => "PHONE",
            Self::Account => "ACCOUNT",
            Self::Passport => "PASSPORT",
            Self::Licence => "LICENCE",
            Self::Password => "PASSWORD",
            Self::Pin => "PIN",
            Self::Cvv => "CVV",
            Self::Token => "TOKEN",
            Self::Name => "NAME",
            Self::Address => "ADDRESS",
            Self::BirthDate => "BIRTH_DATE",
        }
    }

    /// Opens something for anybody who knows it. No answer needs to repeat it, so not even its
    /// owner reads it again.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Password | Self::Pin | Self::Cvv | Self::Token)
    }

    /// Shops publish theirs: where a store is and who works there, and the account to pay to.
    pub const fn may_be_public(self) -> bool {
        matches!(
            self,
            Self::Email
                | Self::Phone
                | Self::Name
                | Self::Address
                | Self::Ip
                | Self::Iban
                | Self::Account
        )
    }

    /// What two spellings of one value have in common. `plain` is folded.
    pub(in crate::guard) fn canonical(self, plain: &str) -> String {
        match self {
            Self::Email | Self::Ip | Self::Password | Self::Token => plain.to_owned(),
            Self::Name | Self::Address | Self::BirthDate => plain.to_owned(),
            Self::Iban | Self::Passport | Self::Licence => {
                plain.chars().filter(|c| c.is_alphanumeric()).collect()
            }
            Self::Card | Self::Ssn | Self::Phone | Self::Account | Self::Pin | Self::Cvv => {
                plain.chars().filter(|c| c.is_ascii_digit() || matches!(c, '+' | 'x')).collect()
            }
        }
    }
}
