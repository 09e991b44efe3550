//! Whether a new visitor gets a token. Visitors are free as long as few come; in a flood each has
//! to prove work, and there is a last bound for the site.

use std::time::Duration;

use super::{error::AccountError, handle::Accounts, sign_in::Session};
use crate::{
    archive::Site,
    auth::Tokens,
    clock,
    domain::{Principal, PrincipalId, Role, SiteId},
    limits::{Budget, Limited, Limits},
};

/// A solved challenge.
pub struct Proof {
    pub challenge: String,
    pub nonce: String,
}

/// A client that cannot solve a challenge may come again without a proof after this, if its proof
/// was not accepted.
const AGAIN: Duration = Duration::from_secs(1);

impl Accounts {
    /// A new visitor. `owed` is the refusal of the block of addresses from which it comes.
    ///
    /// # Errors
    /// [`AccountError::ProofRequired`] in a flood of new visitors, [`AccountError::Limited`].
    pub async fn visitor(
        &self,
        site: &Site,
        proof: Option<Proof>,
        owed: Option<Limited>,
    ) -> Result<Session, AccountError> {
        let (limits, bits) = (&self.limits, self.proof_bits);
        admit(limits, &self.tokens, bits, &site.id, proof, owed).await?;
        let id = PrincipalId::new();
        self.open(Principal { id, role: Role::Visitor, site_id: site.id.clone() }).await
    }
}

/// `owed`: the refusal of the block of addresses from which the visitor comes. Many people may
/// share an address, so it costs them work and does not lock them out.
///
/// # Errors
/// [`AccountError::ProofRequired`] with a new challenge, [`AccountError::Limited`].
async fn admit(
    limits: &Limits,
    tokens: &Tokens,
    bits: u8,
    site: &SiteId,
    proof: Option<Proof>,
    owed: Option<Limited>,
) -> Result<(), AccountError> {
    let retry_after = match (proof, owed) {
        (Some(proof), _) => {
            let solved = tokens.solved(site, &proof.challenge, &proof.nonce, clock::now());
            let is_proved = match solved {
                Ok(id) => limits.first_use(site, &id).await,
                Err(_) => false,
            };
            (!is_proved).then_some(AGAIN)
        }
        (None, Some(owed)) => Some(owed.retry_after),
        (None, None) => limits.free_visitor(site).await.err().map(|limited| limited.retry_after),
    };
    if let Some(retry_after) = retry_after {
        let challenge = tokens.challenge(site, bits, clock::now())?;
        return Err(AccountError::ProofRequired { challenge, retry_after });
    }
    Ok(limits.of_site(Budget::Visitors, site).await?)
}
