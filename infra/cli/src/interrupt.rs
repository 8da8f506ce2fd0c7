//! Ctrl-C, which has one listener in the whole command.

use anyhow::{Context, Result};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{Mutex, OnceCell};

static LISTENER: OnceCell<Mutex<Signal>> = OnceCell::const_new();

/// From now on, Ctrl-C ends nothing by itself: it is kept for [`pressed`].
///
/// # Errors
/// If the system lets nobody listen.
pub async fn listen() -> Result<&'static Mutex<Signal>> {
    let begin = async || signal(SignalKind::interrupt()).map(Mutex::new);
    LISTENER.get_or_try_init(begin).await.context("could not listen for Ctrl-C")
}

/// Waits for Ctrl-C. **One that was pressed while nobody waited counts**, once: it is lost to none who asks next.
///
/// # Errors
/// As [`listen`].
pub async fn pressed() -> Result<()> {
    listen().await?.lock().await.recv().await;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::process::{Command, id};
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn what_is_pressed_while_nobody_waits_is_kept_for_one() {
        listen().await.unwrap();
        let mut other = signal(SignalKind::interrupt()).unwrap();
        let sent = Command::new("kill").args(["-INT", &id().to_string()]).status().unwrap();
        assert!(sent.success());
        other.recv().await;
        tokio::time::timeout(Duration::from_secs(10), pressed()).await.expect("it is kept").unwrap();
        tokio::select! {
            biased;
            _ = pressed() => panic!("it counts once"),
            () = tokio::task::yield_now() => {}
        }
    }
}
