//! What functions were at when the stack was stopped goes on when it is started again.

use anyhow::Result;
use rollcall_bulk::job::Job;
use rollcall_engine::{job_of, world::Jobs};
use rollcall_model::{account::AccountId, jobs::JobId};

use crate::job::short;
use crate::local::Connection;
use crate::output::visible;
use crate::summary::kind;
use local_stack::Stack;

/// Has every job that was interrupted go on at once, and not when its message comes back by itself: nobody works on any of them, whatever
/// their leases say. Gives a line about each.
///
/// # Errors
/// If the stack's template declares no table, or its queues can't be written.
pub async fn resume(stack: &Stack) -> Result<Vec<String>> {
    let mut lines = Vec::new();
    if stack.interrupted.is_empty() {
        return Ok(lines);
    }
    let connection = Connection::to(stack.manifest()).await?;
    for (queue, message) in &stack.interrupted {
        let mut stopped = false;
        if let Some((account, id)) = job_of(&message.body) {
            match release(&connection, &account, &id).await {
                Ok(Resumed { line, was_stopped }) => {
                    lines.extend(line);
                    stopped = was_stopped;
                }
                Err(error) => {
                    eprintln!(
                        "Job {} of the account {account} goes on when its message comes back: {error:#}",
                        short(&id)
                    );
                    continue;
                }
            }
        }
        stack.queues().give_back(queue, message, stopped)?;
    }
    Ok(lines)
}

/// A job that may go on.
struct Resumed {
    /// What is said of it.
    line: Option<String>,
    /// The stack's end has stopped it, or it had not begun; it has not failed by itself.
    was_stopped: bool,
}

/// Takes the lease of a job from whoever held it.
async fn release(connection: &Connection, account: &AccountId, id: &JobId) -> Result<Resumed> {
    let Some(mut job) = connection.directory.job(account, id).await? else {
        let line = format!("Goes on: job {} of the account {account}, which was to begin", short(id));
        return Ok(Resumed { line: Some(line), was_stopped: true });
    };
    let lease = job.lease.take();
    if let Some(lease) = &lease {
        connection.directory.save_job(&job, &lease.owner).await?;
    }
    Ok(Resumed { line: job.is_underway().then(|| line(account, &job)), was_stopped: lease.is_some() })
}

fn line(account: &AccountId, job: &Job) -> String {
    let name = visible(job.upload.shown_name(job.asked_by.as_ref()));
    format!("Goes on: {name} ({}), job {} of the account {account}", kind(job.upload.kind), short(&job.id))
}
