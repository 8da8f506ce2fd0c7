//! Jobs that held themselves: a person says whether what they would have done is meant.

use axum::{
    Json,
    extract::{Path, State},
    http::StatusCode,
};
use rollcall_model::{
    code::ApiCode,
    directory_import::{
        request::{Request, Sync},
        standing::{Outcome, Standing, Synced},
    },
    job::{Job, State as JobState},
    mapping::standing::{ResyncRequest, ResyncStanding},
    upload::Kind,
};

use super::{Shown, one::find};
use crate::{
    Api, Shared,
    ask::{Asked, ask},
    caller::Caller,
    problem::Problem,
};

/// `POST /v1/jobs/{id}/execute`: another job does what this one would have done, and no threshold keeps it back. It decides on
/// what it finds then: what this one has seen may be hours old.
pub(crate) async fn execute(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<(StatusCode, Json<Asked>), Problem> {
    let held = find(&api, &caller, &id).await?;
    let (kind, name, request) = match held.upload.kind {
        // A snapshot has been kept as what the phone system says: it need not be dropped again.
        Kind::MappingResync | Kind::PhoneSnapshot => {
            (Kind::MappingResync, "resync.json", ResyncRequest { confirmed: true }.to_json())
        }
        Kind::DirectoryImport => {
            (Kind::DirectoryImport, "sync.json", Request::Sync(Sync { confirmed: true }).to_json())
        }
        Kind::AppendCallerIds | Kind::UploadUsers | Kind::RotateCallerIds => return Err(not_held(&held)),
    };
    // Decided before it is asked for, so that of two who decide at once only one does.
    let confirmed = decide(&api, &held, JobState::Confirmed).await?;
    let asked = ask(&api, caller, kind, name, request).await;
    if asked.is_err() {
        // Nobody has been asked, so the job is there to be decided about still.
        api.directory.decide_job(&held, confirmed.state).await?;
    }
    asked
}

/// `POST /v1/jobs/{id}/discard`: what it would have done was not meant.
pub(crate) async fn discard(
    State(api): Shared,
    caller: Caller,
    Path(id): Path<String>,
) -> Result<Json<Shown>, Problem> {
    let held = find(&api, &caller, &id).await?;
    let discarded = decide(&api, &held, JobState::Discarded).await?;
    release(&api, &caller, &held).await?;
    Ok(Json(discarded.into()))
}

/// The schedule leaves accounts alone where a person is waited for. Now it need not any more.
async fn release(api: &Api, caller: &Caller, held: &Job) -> Result<(), Problem> {
    match held.upload.kind {
        Kind::MappingResync | Kind::PhoneSnapshot => {
            let change = |standing: &mut ResyncStanding| {
                if let Some(ended) = standing.ended.as_mut().filter(|ended| ended.job == held.id) {
                    ended.held = false;
                }
            };
            api.directory.change_resync_standing(&caller.account, change).await?;
        }
        Kind::DirectoryImport => {
            let change = |standing: &mut Standing| match &mut standing.last_sync {
                Some(Synced { job, outcome, .. }) if *job == held.id => {
                    if let Outcome::Held { reason } = outcome {
                        *outcome = Outcome::Refused { reason: std::mem::take(reason) };
                    }
                }
                _ => {}
            };
            api.directory.change_standing(&caller.account, change).await?;
        }
        Kind::AppendCallerIds | Kind::UploadUsers | Kind::RotateCallerIds => {}
    }
    Ok(())
}

/// Writes the decision down, if nobody was first.
async fn decide(api: &Api, held: &Job, state: JobState) -> Result<Job, Problem> {
    let decided = Job { state, ..held.clone() };
    if held.state == JobState::Held && api.directory.decide_job(&decided, JobState::Held).await? {
        return Ok(decided);
    }
    Err(not_held(held))
}

fn not_held(job: &Job) -> Problem {
    let detail = match job.state {
        JobState::Confirmed | JobState::Discarded => format!("The job has been {} before.", job.state.as_str()),
        _ => "The job doesn't hold, so there is nothing to decide.".to_owned(),
    };
    Problem::new(StatusCode::CONFLICT, ApiCode::JobNotHeld, detail)
}
