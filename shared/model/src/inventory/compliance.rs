//! India's rules on which numbers call for what.
//!
//! - **140** is for promotional calls, and for nothing else; **1600** (with 1601) for service and transactional calls of government and of
//!   regulated entities (Department of Telecommunications, office memorandum of 28 May 2024 and press release of 30 May 2024: 1600 for
//!   government and regulators, 1601 for regulated financial entities).
//! - Commercial calls from ordinary ten-digit numbers are not permitted: promotional ones come from 140, and service and transactional ones
//!   from 1600 (TRAI, second amendment of 12 February 2025 to the Telecom Commercial Communications Customer Preference Regulations, 2018).
//! - Entities that RBI, SEBI and PFRDA regulate must have moved their service and transactional calls to 1600 between 1 January and
//!   15 March 2026 (TRAI, direction of 19 November 2025).
//!
//! Whether a rule binds an account is a lawyer's question: these are warnings, and keep nobody from anything.

use super::Purpose;
use crate::{caller_id::CallerId, code::NumberWarning};

/// The part of India's numbering plan that a number is of.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Series {
    Promotional,
    Service,
    Ordinary,
}

/// What is wrong with calls for a purpose from a number; nothing, for numbers of other countries.
pub(super) fn judge(number: CallerId, purpose: Option<Purpose>) -> Option<NumberWarning> {
    match (purpose?, series(number)?) {
        (Purpose::Promotional, Series::Service | Series::Ordinary) => Some(NumberWarning::PromotionalNot140),
        (Purpose::Service, Series::Ordinary) => Some(NumberWarning::ServiceNot1600),
        (Purpose::Service | Purpose::Other, Series::Promotional) => Some(NumberWarning::Only140Promotional),
        (Purpose::Other, Series::Service) => Some(NumberWarning::Only1600Service),
        (Purpose::Promotional, Series::Promotional)
        | (Purpose::Service, Series::Service)
        | (Purpose::Other, Series::Ordinary) => None,
    }
}

/// Numbers of both series have ten digits after the country code, and so has a fixed line of Kharar, whose area code is 160: what follows
/// there is never a 0 or a 1.
fn series(number: CallerId) -> Option<Series> {
    /// As every number of the plan has, but for a few services.
    const DIGITS: usize = 10;
    let digits = number.digits();
    let national = digits.strip_prefix("91")?;
    let is_of = |prefix| national.len() == DIGITS && national.starts_with(prefix);
    Some(match () {
        () if is_of("140") => Series::Promotional,
        () if is_of("1600") || is_of("1601") => Series::Service,
        () => Series::Ordinary,
    })
}

impl NumberWarning {
    /// What it means, for people.
    pub fn message(self) -> &'static str {
        match self {
            Self::PromotionalNot140 => "Promotional calls to India must come from a number of the 140 series.",
            Self::ServiceNot1600 => {
                "Service and transactional calls of regulated entities in India must come from a number of the 1600 series."
            }
            Self::Only140Promotional => "In India, the 140 series is for promotional calls alone.",
            Self::Only1600Service => "In India, the 1600 series is for service and transactional calls alone.",
        }
    }
}
