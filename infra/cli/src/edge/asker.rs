//! Questions on their way to the API: what is kept, who waits, and what is said when nobody answers.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use rollcall_connectors::{ConnectorError, Http, HttpRequest, HttpResponse};
use rollcall_model::caller_id::CallerId;
use tokio::time::{Duration, timeout};

use super::breaker::{Breaker, Permission};
use super::choice::Turns;
use super::kept::{Kept, Known};
use super::question::{Check, Choices, Decision, Question, WhichNumbers, Who, good_for};
use super::tell;
use super::tokens::{Access, Tokens};
use crate::api;

/// What stands between a switch and the API.
pub struct Asker {
    http: Http,
    tokens: Arc<Tokens>,
    breaker: Mutex<Breaker>,
    decisions: Kept<Check, Decision>,
    choices: Kept<WhichNumbers, Choices>,
    turns: Mutex<Turns>,
    /// What was last told to be set up wrongly, so that it is told once and not at each call.
    wrong: Mutex<String>,
}

/// Where an answer is from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, strum::IntoStaticStr)]
#[strum(serialize_all = "kebab-case")]
pub enum From {
    /// The API has just given it.
    Api,
    /// The API has given it, and it is still good.
    Kept,
    /// The API has given it within the last hour, and can't be asked now.
    LastKnown,
}

/// Why there is no answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NoAnswer {
    /// The API takes no such question: the user or the number can't be one.
    Refused,
    /// Nobody can be asked, and nothing is known.
    Unknown,
}

/// Why a question came to nothing.
enum Trouble {
    /// The API doesn't answer, or can't.
    Silent(String),
    /// It answers that we may not ask so.
    Wrong(String),
}

/// How it stands.
pub struct Standing {
    /// Whether the API is asked.
    pub asking: bool,
    /// Whether there is a token.
    pub has_token: bool,
    /// Answers that are kept.
    pub kept: usize,
}

/// How long the API has for an answer: a caller waits for it, and a switch gives up after a second.
const PATIENCE: Duration = Duration::from_millis(800);
const ASKING: &str = "asking the API";

impl Asker {
    /// With these tokens. Nothing is known yet.
    pub fn new(http: Http, tokens: Arc<Tokens>) -> Self {
        Self {
            http,
            tokens,
            breaker: Mutex::default(),
            decisions: Kept::new(),
            choices: Kept::new(),
            turns: Mutex::default(),
            wrong: Mutex::default(),
        }
    }

    /// May the call pass?
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub async fn decide(self: &Arc<Self>, check: Check) -> Result<(Decision, From), NoAnswer> {
        self.answer(check, |asker| &asker.decisions).await
    }

    /// Which number should a call to `called` show? Who is called stays here. `None` where the user may dial from none, with the reason if
    /// there is one.
    ///
    /// # Errors
    /// [`NoAnswer`]
    pub async fn next(
        self: &Arc<Self>,
        who: Who,
        called: Option<CallerId>,
    ) -> Result<(Result<CallerId, Option<String>>, From), NoAnswer> {
        let (choices, from) = self.answer(WhichNumbers(who), |asker| &asker.choices).await?;
        Ok((lock(&self.turns).choose(&choices.numbers, called).ok_or(choices.code), from))
    }

    /// How it stands.
    pub fn standing(&self) -> Standing {
        Standing {
            asking: !lock(&self.breaker).is_open(),
            has_token: self.tokens.current().is_some(),
            kept: self.decisions.len() + self.choices.len(),
        }
    }

    async fn answer<Q: Question>(
        self: &Arc<Self>,
        question: Q,
        kept: fn(&Self) -> &Kept<Q, Q::Answer>,
    ) -> Result<(Q::Answer, From), NoAnswer> {
        let old = match kept(self).look(&question, Instant::now()) {
            Known::Fresh(answer) => return Ok((answer, From::Kept)),
            Known::Old(answer) => Some(answer),
            Known::Nothing => None,
        };
        let permission = lock(&self.breaker).permission(Instant::now());
        if permission != Permission::KeepOff {
            let asker = Arc::clone(self);
            // A task of its own: a switch that hangs up must not keep us from learning that the API hangs.
            let answer = tokio::spawn(async move { asker.ask(&question, kept).await });
            if permission == Permission::Ask {
                match answer.await {
                    Ok(Ok(answer)) => return Ok((answer, From::Api)),
                    Ok(Err(NoAnswer::Refused)) => return Err(NoAnswer::Refused),
                    Ok(Err(NoAnswer::Unknown)) | Err(_) => {}
                }
            }
        }
        old.map(|answer| (answer, From::LastKnown)).ok_or(NoAnswer::Unknown)
    }

    /// Asks, and notes what comes of it.
    async fn ask<Q: Question>(
        &self,
        question: &Q,
        kept: fn(&Self) -> &Kept<Q, Q::Answer>,
    ) -> Result<Q::Answer, NoAnswer> {
        let asked = Instant::now();
        let answered = timeout(PATIENCE, self.exchange(question)).await;
        let answered = answered.unwrap_or_else(|_| Err(Trouble::Silent("no answer in time".to_owned())));
        if let Err(Trouble::Silent(why)) = answered {
            if lock(&self.breaker).failed(Instant::now()) {
                tell(&format!("the API is not asked for a while: {why}"));
            }
            return Err(NoAnswer::Unknown);
        }
        if lock(&self.breaker).answered() {
            tell("the API answers again");
        }
        match answered {
            Ok(Some((answer, good_for))) => {
                kept(self).keep(question, answer.clone(), asked, good_for);
                lock(&self.wrong).clear();
                Ok(answer)
            }
            Ok(None) => Err(NoAnswer::Refused),
            Err(Trouble::Wrong(why) | Trouble::Silent(why)) => {
                let mut wrong = lock(&self.wrong);
                if *wrong != why {
                    tell(&format!("the API refuses the question: {why}"));
                    *wrong = why;
                }
                Err(NoAnswer::Unknown)
            }
        }
    }

    /// The answer and how long it is good for; `None` where nobody can be called so, or no number can be so.
    async fn exchange<Q: Question>(&self, question: &Q) -> Result<Option<(Q::Answer, Duration)>, Trouble> {
        let (mut answer, access) = self.once(question).await?;
        if answer.status == StatusCode::UNAUTHORIZED {
            let renewed = self.tokens.renew(Some(&access)).await;
            renewed.map_err(|error| Trouble::Silent(format!("no token: {error:#}")))?;
            answer = self.once(question).await?.0;
        }
        let told = || format!("HTTP status {}", answer.status.as_u16());
        match answer.status {
            StatusCode::OK => {
                let read = answer.json(ASKING).map_err(|error| Trouble::Silent(error.chain()))?;
                Ok(Some((read, good_for(&answer))))
            }
            StatusCode::BAD_REQUEST => Ok(None),
            StatusCode::UNAUTHORIZED => Err(Trouble::Wrong(format!("the token is no good ({})", told()))),
            StatusCode::FORBIDDEN => Err(Trouble::Wrong(format!("the token lacks the scope ({})", told()))),
            StatusCode::NOT_FOUND => Err(Trouble::Wrong(format!("there is no such route ({})", told()))),
            _ => Err(Trouble::Silent(told())),
        }
    }

    async fn once<Q: Question>(&self, question: &Q) -> Result<(HttpResponse, Access), Trouble> {
        let silent = |error: ConnectorError| Trouble::Silent(error.chain());
        let access = self.tokens.current().ok_or_else(|| Trouble::Silent("there is no token".to_owned()))?;
        let (path, query) = question.place();
        let path: Vec<&str> = path.iter().map(String::as_str).collect();
        let address = api::address(ASKING, &access.base, &path, query).map_err(silent)?;
        let json = HeaderValue::from_static("application/json");
        let headers = HeaderMap::from_iter([(header::AUTHORIZATION, access.header.clone()), (header::ACCEPT, json)]);
        let ask = HttpRequest { headers, ..HttpRequest::get(ASKING, address) };
        let until = tokio::time::Instant::now() + PATIENCE;
        Ok((self.http.ask(&ask, until).await.map_err(silent)?, access))
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
