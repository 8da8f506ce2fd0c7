//! The numbers of a profile, as somebody has written them.

use rollcall_model::{caller_id::CallerId, numbers::NumberReader};
use serde_json::Value;

use crate::{
    Api,
    caller::Caller,
    numbers::{country, of_field},
    problem::Problem,
};

/// Where a profile has numbers.
const PLACES: [&str; 2] = ["/call_forward_number", "/extension/caller_id"];

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
