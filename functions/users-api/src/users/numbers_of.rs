//! The numbers of a profile, as somebody has written them.

use rollcall_model::{
    caller_id::CallerId,
    dial::{DEFAULT_NOT_ALLOWED, new_default},
    inventory::Inventory,
    numbers::NumberReader,
    phone_side::DialPermission,
    user::User,
};
use serde_json::Value;

use crate::{
    Api,
    caller::Caller,
    numbers::{country, of_field},
    problem::Problem,
};

/// Where a profile has numbers.
const PLACES: [&str; 3] = ["/call_forward_number", "/extension/caller_id", DEFAULT];
/// Where it has the one that calls show where nothing else is said.
const DEFAULT: &str = "/default_caller_id";

/// Puts numbers in E.164 form in place of those in other spellings, which are read as a file of users reads them: by the rules of the
/// account's country.
pub(super) async fn read_numbers(api: &Api, caller: &Caller, profile: &mut Value) -> Result<(), Problem> {
    for place in PLACES {
        let Some(Value::String(written)) = profile.pointer_mut(place) else { continue };
        if written.parse::<CallerId>().is_err() {
            let mut reader = NumberReader::of_any(country(api, caller).await?, &[]);
            *written = of_field(&mut reader, written, place)?.to_string();
        }
    }
    Ok(())
}

/// Refuses a default that is set and that the user may not dial from.
pub(super) fn check_default(before: Option<&User>, after: &User, inventory: &Inventory) -> Result<(), Problem> {
    match new_default(before, after) {
        Some(default) if !inventory.allows(&DialPermission::of(after), default) => {
            Err(Problem::field(DEFAULT, DEFAULT_NOT_ALLOWED))
        }
        _ => Ok(()),
    }
}
