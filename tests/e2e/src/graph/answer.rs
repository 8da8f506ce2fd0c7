//! Pages, users and refusals.

use axum::{
    Json,
    http::{StatusCode, Uri, header},
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    Corruption, Gone, Tenant, plain,
    query::{Place, Query},
};
use crate::served::Shared;

/// Graph's error.
pub(super) fn refuse(status: StatusCode, code: &str) -> Response {
    // Real messages repeat what was sent: nobody may pass them on.
    let message = "asha@contoso.example may not, with token-1";
    (status, Json(json!({ "error": { "code": code, "message": message } }))).into_response()
}

/// The token endpoint's error.
pub(super) fn deny(status: StatusCode, error: &str) -> Response {
    let description = "AADSTS7000215: Invalid client secret provided: s3cr3t~of+the/application";
    (status, Json(json!({ "error": error, "error_description": description }))).into_response()
}

/// What is answered instead of a list or a user.
pub(super) fn spoilt(spoil: Corruption, asked: &Uri, url: &str, elsewhere: &str) -> Option<Response> {
    let page = |user: Value, next: Option<String>| {
        let mut page = json!({ "value": [user] });
        if let Some(next) = next {
            page["@odata.nextLink"] = next.into();
        }
        Some(Json(page).into_response())
    };
    let user = |enabled: Value| json!({ "id": "x", "userPrincipalName": "asha@contoso.example", "displayName": "Asha", "accountEnabled": enabled });
    match spoil {
        Corruption::RepeatedNextLink => page(user(true.into()), Some(format!("{url}{asked}"))),
        Corruption::ForeignNextLink => page(user(true.into()), Some(format!("{elsewhere}{asked}"))),
        Corruption::WrongType => page(user("asha-is-enabled".into()), None),
        Corruption::NotSelected => page(user(Value::Null), None),
        Corruption::NotJson => Some(plain(StatusCode::OK, "<html>asha@contoso.example</html>")),
        Corruption::HalfJson => Some(plain(StatusCode::OK, r#"{"value": [{"id": "asha@contoso.example"#)),
        Corruption::NoPage => Some(plain(StatusCode::OK, "{}")),
        Corruption::Huge => Some(plain(StatusCode::OK, vec![b' '; (16 << 20) + 1])),
        Corruption::Redirect => {
            let there = [(header::LOCATION, format!("{elsewhere}{asked}"))];
            Some((StatusCode::TEMPORARY_REDIRECT, there).into_response())
        }
        Corruption::Broken => Some(refuse(StatusCode::INTERNAL_SERVER_ERROR, "InternalServerError")),
        Corruption::Forbidden => Some(refuse(StatusCode::FORBIDDEN, "Authorization_RequestDenied")),
    }
}

impl Tenant {
    /// `GET /v1.0/users/{id}`
    pub(super) fn one(&self, id: &str, query: &Query) -> Response {
        match self.people.iter().find(|person| person.id == id && person.deleted.is_none()) {
            Some(person) => Json(person.select(query.select.as_deref())).into_response(),
            None => refuse(StatusCode::NOT_FOUND, "Request_ResourceNotFound"),
        }
    }

    /// `GET /v1.0/users`
    pub(super) fn list(&mut self, shared: &Shared<Self>, query: Query) -> Response {
        let advanced = query.is_advanced();
        let place = match &query.skip_token {
            Some(token) => match self.places.get(token).filter(|place| !place.delta) {
                Some(place) => place.clone(),
                None => return refuse(StatusCode::BAD_REQUEST, "Directory_ExpiredPageToken"),
            },
            None => Place { query, offset: 0, empty: 0, since: 0, began: 0, delta: false, advanced },
        };
        let taken =
            self.people.iter().filter(|person| person.deleted.is_none() && !person.hidden && place.query.takes(person));
        let users = taken.map(|person| person.select(place.query.select.as_deref())).collect();
        self.page(shared, place, users, "users")
    }

    /// `GET /v1.0/users/delta`
    pub(super) fn delta(&mut self, shared: &Shared<Self>, query: Query) -> Response {
        if query.top.is_some() || query.count || query.is_advanced() {
            return refuse(StatusCode::BAD_REQUEST, "Request_UnsupportedQuery");
        }
        let place = if let Some(token) = &query.skip_token {
            match self.places.get(token).filter(|place| place.delta) {
                Some(place) => place.clone(),
                None => return refuse(StatusCode::BAD_REQUEST, "Directory_ExpiredPageToken"),
            }
        } else {
            let mut place =
                Place { query, offset: 0, empty: 0, since: 0, began: self.clock, delta: true, advanced: false };
            if let Some(token) = &place.query.delta_token {
                match self.gone {
                    Some(Gone::Status410) => return refuse(StatusCode::GONE, "resyncRequired"),
                    Some(Gone::Status400) => return refuse(StatusCode::BAD_REQUEST, "syncStateNotFound"),
                    None => {}
                }
                let Some(given) = self.places.get(token).filter(|place| place.delta) else {
                    return refuse(StatusCode::BAD_REQUEST, "Request_BadRequest");
                };
                place.since = given.began;
                place.query.select.clone_from(&given.query.select);
            }
            place
        };
        // Some of what it has sent before.
        let since = if self.traps.replays { place.since.saturating_sub(3) } else { place.since };
        let whole = place.since == 0;
        let mut changed: Vec<_> = self
            .people
            .iter()
            .filter(|person| !person.hidden)
            .filter(|person| if whole { person.deleted.is_none() } else { person.changed > since })
            .map(|person| person.delta(place.query.select.as_deref()))
            .collect();
        if self.traps.replays {
            changed = changed.iter().chain(&changed).cloned().collect();
        }
        self.page(shared, place, changed, "users/delta")
    }

    fn page(&mut self, shared: &Shared<Self>, mut place: Place, users: Vec<Value>, path: &str) -> Response {
        self.pages += 1;
        let empty = self.traps.empty_pages > 0 && self.pages.is_multiple_of(self.traps.empty_pages);
        let size = if empty { 0 } else { self.traps.page.min(place.query.top.unwrap_or(100)) };
        let total = users.len();
        let page: Vec<_> = users.into_iter().skip(place.offset).take(size).collect();
        place.offset += page.len();
        place.empty += usize::from(page.is_empty());
        let mut answer = json!({
            "@odata.context": format!("{}/v1.0/$metadata#users", shared.url),
            "value": page,
        });
        if place.query.count {
            answer["@odata.count"] = total.into();
        }
        // The same place has the same token, however often it is asked for.
        let known = self.places.iter().find(|(_, known)| **known == place).map(|(token, _)| token.clone());
        let token = known.unwrap_or_else(|| format!("t{}", self.places.len()));
        let more = place.offset < total;
        if more {
            // The header isn't part of the link, and must be sent again.
            let search = if place.advanced { "&$search=%22displayName%3A%22" } else { "" };
            answer["@odata.nextLink"] = format!("{}/v1.0/{path}?$skiptoken={token}{search}", shared.url).into();
        } else if place.delta {
            answer["@odata.deltaLink"] = format!("{}/v1.0/{path}?$deltatoken={token}", shared.url).into();
        }
        if more || place.delta {
            self.places.insert(token, place);
        }
        Json(answer).into_response()
    }
}
