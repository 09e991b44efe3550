//! A body that its sender's block of addresses pays for before it is read. What nobody can read
//! thus costs its sender only, and no site.

use std::{future::Future, pin::Pin};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use serde::de::DeserializeOwned;

use super::{error::ApiError, extract::Body, sender::Sender, state::App};
use crate::{
    domain::{AddressBlock, ErrorCode},
    limits::{Budget, Limited},
};

/// A body of a request for tokens.
pub trait Costs {
    const BUDGET: Budget;
}

pub struct Paid<T> {
    pub body: T,
    /// The refusal of the block of addresses. Only for new visitors, who may prove work instead;
    /// all others are refused at once.
    pub owed: Option<Limited>,
    /// `None` if it is not known.
    pub from: Option<AddressBlock>,
}

impl<T: Costs + DeserializeOwned + 'static> FromRequest for Paid<T> {
    type Error = ApiError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, ApiError>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let app = request.app_data::<web::Data<App>>().cloned();
        let body = Body::<T>::from_request(request, payload);
        let request = request.clone();
        Box::pin(async move {
            let app = app.ok_or_else(|| ApiError::new(ErrorCode::Internal))?;
            let Sender(from) = app.senders.of(&request);
            let paid = app.limits.of_address(T::BUDGET, from).await;
            let owed = match T::BUDGET {
                Budget::Visitors => paid.err(),
                Budget::Logins | Budget::Refreshes => {
                    paid?;
                    None
                }
            };
            Ok(Self { body: body.await?.0, owed, from })
        })
    }
}
