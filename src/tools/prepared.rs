//! A call that may be made: its arguments fit the schema, and its caller may use the tool.

use std::{fmt, sync::Arc};

use serde_json::{Map, Value};
use sha2::{Digest as _, Sha256};

use super::{
    caller::{Caller, Proof},
    request::Filled,
    tool::Tool,
    web,
};
use crate::config::Identity;

/// In bytes.
const LONGEST_ARGUMENTS: usize = 16_384;
const MOST_FAULTS: usize = 8;
/// In characters.
const LONGEST_FAULT: usize = 200;

/// Why a call is not prepared.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// What is wrong with the arguments, without their values.
    #[error("the arguments do not fit the tool")]
    Schema(Vec<String>),
    /// The level that is needed.
    #[error("the tool needs another identity level")]
    Identity(Identity),
}

/// Made by [`Tool::prepare`] only.
pub struct Prepared {
    pub(super) tool: Arc<Tool>,
    pub(super) arguments: Map<String, Value>,
    pub(super) caller: Caller,
    pub(super) request: Filled,
}

/// A hash in place of what it is made of, which is personal data.
pub(super) type Hash = [u8; 32];

impl Tool {
    /// Holds arguments to the schema, and the caller to the identity level. Nothing is converted:
    /// a number in a string is a string.
    ///
    /// # Errors
    /// [`Refused`]. Its faults are for a model or an operator, and quote no value.
    pub fn prepare(
        self: &Arc<Self>,
        arguments: Value,
        caller: &Caller,
    ) -> Result<Prepared, Refused> {
        if arguments.to_string().len() > LONGEST_ARGUMENTS {
            return Err(Refused::Schema(vec!["the arguments are too long".to_owned()]));
        }
        let faults = self.validator.iter_errors(&arguments).map(|error| {
            let (path, fault) = (error.instance_path().to_string(), error.masked());
            let text = if path.is_empty() { fault.to_string() } else { format!("{path}: {fault}") };
            text.chars().take(LONGEST_FAULT).collect()
        });
        let faults: Vec<String> = faults.take(MOST_FAULTS).collect();
        let Value::Object(arguments) = arguments else {
            return Err(Refused::Schema(faults));
        };
        if !faults.is_empty() {
            return Err(Refused::Schema(faults));
        }
        if caller.level() < self.shown_by {
            return Err(Refused::Identity(self.shown_by));
        }
        if self.identity == Identity::Code && !caller.code {
            return Err(Refused::Identity(Identity::Code));
        }
        let arguments = match self.web_results {
            Some(_) => web::masked(&arguments).ok_or_else(|| {
                Refused::Schema(vec!["personal data does not leave for the web".to_owned()])
            })?,
            None => arguments,
        };
        let request = self.way.fill(&arguments, self.shown_by, caller);
        let request = request.map_err(|fault| Refused::Schema(vec![fault]))?;
        Ok(Prepared::new(self, arguments, caller, request))
    }
}

impl Prepared {
    fn new(
        tool: &Arc<Tool>,
        arguments: Map<String, Value>,
        caller: &Caller,
        request: Filled,
    ) -> Self {
        Self { tool: Arc::clone(tool), arguments, caller: caller.clone(), request }
    }

    pub fn tool(&self) -> &Arc<Tool> {
        &self.tool
    }

    pub fn caller(&self) -> &Caller {
        &self.caller
    }

    pub fn arguments(&self) -> &Map<String, Value> {
        &self.arguments
    }

    /// Whose result it is; the whole site's, if the target is not told who asks.
    pub(super) fn owner(&self) -> Hash {
        let site = self.caller.site.as_str();
        match self.tool.identity {
            Identity::Nobody => hash(&[site.as_bytes()]),
            Identity::Order | Identity::Customer | Identity::Code => owner(&self.caller),
        }
    }

    /// What is asked: equal for two calls whose results are the same.
    pub(super) fn what(&self) -> Hash {
        let proof: [&[u8]; 2] = match &self.caller.proof {
            // Only these tools send it.
            Some(Proof::Email(email)) if self.tool.shown_by == Identity::Order => {
                [b"email", email.as_bytes()]
            }
            Some(Proof::Postcode(code)) if self.tool.shown_by == Identity::Order => {
                [b"postcode", code.as_bytes()]
            }
            _ => [b"", b""],
        };
        let body = self.request.body.as_deref().unwrap_or_default();
        hash(&[
            self.tool.name.as_bytes(),
            self.request.url.as_str().as_bytes(),
            body,
            proof[0],
            proof[1],
        ])
    }
}

/// A visitor of a site, as the customer that they are at the moment.
pub(super) fn owner(caller: &Caller) -> Hash {
    let customer = caller.customer.as_ref().map_or("", |customer| &customer.id);
    let visitor = caller.visitor.0.as_bytes();
    hash(&[caller.site.as_str().as_bytes(), visitor, customer.as_bytes()])
}

/// Each part with its length, so that no two lists of parts are the same bytes.
pub(super) fn hash(parts: &[&[u8]]) -> Hash {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update((part.len() as u64).to_be_bytes());
        hasher.update(part);
    }
    hasher.finalize().into()
}

impl fmt::Debug for Prepared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Prepared({})", self.tool.name)
    }
}
