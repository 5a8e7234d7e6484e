//! The account's suppression list of SES: the addresses that it sends nothing to, for all senders of the account.

use aws_sdk_sesv2::Client;
use aws_sdk_sesv2::error::{DisplayErrorContext, SdkError};
use aws_sdk_sesv2::operation::delete_suppressed_destination::DeleteSuppressedDestinationError;
use aws_sdk_sesv2::operation::get_suppressed_destination::GetSuppressedDestinationError;
use aws_sdk_sesv2::types::{SuppressedDestination, SuppressionListReason};

use super::suppressed::Suppressed;
use aws_sdk_sesv2::config::Builder as SesConfig;

/// The suppression list.
#[derive(Clone, Debug)]
pub struct SuppressionList(Client);

impl SuppressionList {
    /// The list of the account that this configuration belongs to.
    pub fn new(config: SesConfig) -> Self {
        SuppressionList(Client::from_conf(config.build()))
    }

    /// Why the address is on the list. `None`: it is not.
    ///
    /// # Errors
    /// If SES does not say it. The permission is `ses:GetSuppressedDestination`.
    pub async fn look_up(&self, address: &str) -> Result<Option<Suppressed>, String> {
        let asked = self.0.get_suppressed_destination().email_address(address).send();
        match asked.await {
            Ok(answer) => Ok(Some(
                match answer.suppressed_destination().map(SuppressedDestination::reason) {
                    Some(SuppressionListReason::Bounce) => Suppressed::Bounce,
                    Some(SuppressionListReason::Complaint) => Suppressed::Complaint,
                    _ => Suppressed::Other,
                },
            )),
            Err(error) if is(&error, GetSuppressedDestinationError::is_not_found_exception) => Ok(None),
            Err(error) => Err(format!("{}", DisplayErrorContext(&error))),
        }
    }

    /// Takes the address off the list. One that is not on it counts as taken off.
    ///
    /// # Errors
    /// If SES does not do it. The permission is `ses:DeleteSuppressedDestination`.
    pub async fn remove(&self, address: &str) -> Result<(), String> {
        let asked = self
            .0
            .delete_suppressed_destination()
            .email_address(address)
            .send();
        match asked.await {
            Ok(_) => Ok(()),
            Err(error) if is(&error, DeleteSuppressedDestinationError::is_not_found_exception) => Ok(()),
            Err(error) => Err(format!("{}", DisplayErrorContext(&error))),
        }
    }
}

fn is<E, R>(error: &SdkError<E, R>, kind: impl Fn(&E) -> bool) -> bool {
    error.as_service_error().is_some_and(kind)
}
