//! The web console: the files of `web/`, and how a browser logs in. It asks nothing and keeps nothing; what people do goes from
//! their browser to the API.

mod answer;
mod config;
mod event;
mod files;

pub use answer::Answer;
pub use config::Config;
pub use event::Request;
pub use files::{Packed, packed};

/// The page, without which nothing else is asked for.
const PAGE: &str = "index.html";
/// Where everything is.
const ROOT: &str = "/console";

impl Config {
    /// Answers a request, `GET /console` or `GET /console/{path+}`.
    pub fn answer(&self, request: &Request) -> Answer {
        if request.method() != "GET" {
            return Answer::new(405).header("allow", "GET").text("Only GET.");
        }
        let Some(path) = request.path().strip_prefix(ROOT) else { return Answer::not_found() };
        let answer = match path.trim_matches('/') {
            // The page is asked for again each time, so that a new version shows at once.
            "" => Answer::file(PAGE, request).header("cache-control", "no-cache"),
            "config.json" => Answer::json(&self.public()).header("cache-control", "no-cache"),
            path => match path.split_once('/') {
                Some((files::VERSION, name)) if name != PAGE => {
                    Answer::file(name, request).header("cache-control", "public, max-age=31536000, immutable")
                }
                _ => Answer::not_found(),
            },
        };
        answer.guarded(self)
    }
}
