//! The account's own numbers.

use serde::{Deserialize, Serialize};

use crate::caller_id::CallerId;

/// One number that the account has bought.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InventoryNumber {
    /// In E.164 form.
    pub number: CallerId,
    /// How the provider writes it, where that is not the E.164 form. A file may use this spelling, even if no
    /// numbering plan knows it: Smartflo's own sample numbers have nine digits.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub provider: Option<String>,
    /// Where it stands in its life.
    #[serde(default)]
    pub state: NumberState,
}

/// Where a number stands in its life.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum NumberState {
    /// In service.
    #[default]
    Active,
    /// Out of service for good: no list takes it any more.
    Retired,
}
