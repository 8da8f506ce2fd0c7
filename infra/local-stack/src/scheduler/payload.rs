//! What a schedule sends to its function.

use jiff::Timestamp;
use serde_json::json;
use uuid::Uuid;

use crate::error::{Context, Result};
use crate::template::{ACCOUNT_ID, REGION};

/// Times as Scheduler writes them.
const TIME: &str = "%Y-%m-%dT%H:%M:%SZ";

/// The event for a schedule that was due at `due`: its `Input`, with Scheduler's keywords in it replaced, or what Scheduler sends
/// where there is none.
///
/// <https://docs.aws.amazon.com/scheduler/latest/UserGuide/managing-schedule-context-attributes.html>
pub(super) fn payload(input: Option<&str>, arn: &str, due: Timestamp) -> String {
    let time = due.strftime(TIME).to_string();
    let id = Uuid::new_v4();
    let Some(input) = input else {
        return json!({
            "version": "0",
            "id": id.to_string(),
            "detail-type": "Scheduled Event",
            "source": "aws.scheduler",
            "account": ACCOUNT_ID,
            "time": time,
            "region": REGION,
            "resources": [arn],
            "detail": "{}",
        })
        .to_string();
    };
    // An event is handed over at the first attempt: Lambda always takes it here.
    input
        .replace("<aws.scheduler.schedule-arn>", arn)
        .replace("<aws.scheduler.scheduled-time>", &time)
        .replace("<aws.scheduler.execution-id>", &id.simple().to_string()[..16])
        .replace("<aws.scheduler.attempt-number>", "1")
}

/// Checks an `Input`. Lambda takes JSON alone.
///
/// # Errors
/// If it won't be JSON when it is sent.
pub(crate) fn check(input: &str) -> Result<()> {
    let sent = payload(Some(input), "arn", Timestamp::UNIX_EPOCH);
    serde_json::from_str::<serde::de::IgnoredAny>(&sent).context("Input must be JSON").map(drop)
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;

    const ARN: &str = "arn:aws:scheduler:us-east-1:000000000000:schedule/default/Nightly";

    fn sent(input: Option<&str>) -> Value {
        let due = "2022-03-22T18:59:43.5Z".parse().expect("a time");
        serde_json::from_str(&payload(input, ARN, due)).expect("JSON")
    }

    #[test]
    fn keywords_are_replaced() {
        let input = r#"{"at":"<aws.scheduler.scheduled-time>","by":"<aws.scheduler.schedule-arn>",
            "attempt":<aws.scheduler.attempt-number>,"id":"<aws.scheduler.execution-id>","kept":"<x>"}"#;
        check(input).expect("JSON");
        let sent = sent(Some(input));
        assert_eq!((&sent["at"], &sent["by"]), (&"2022-03-22T18:59:43Z".into(), &ARN.into()));
        assert_eq!((&sent["attempt"], &sent["kept"]), (&1.into(), &"<x>".into()));
        assert_eq!(sent["id"].as_str().map(str::len), Some(16));
        assert!(check("{").is_err() && check("").is_err());
    }

    #[test]
    fn without_an_input_the_schedule_itself_is_sent() {
        let sent = sent(None);
        assert_eq!((&sent["source"], &sent["resources"][0]), (&"aws.scheduler".into(), &ARN.into()));
        assert_eq!((&sent["time"], &sent["detail"]), (&"2022-03-22T18:59:43Z".into(), &"{}".into()));
    }
}
