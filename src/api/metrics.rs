//! GET /metrics: in the text format of Prometheus, or in OpenMetrics if the request asks for it.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};

use super::app::App;

const TEXT: HeaderValue = HeaderValue::from_static("text/plain; version=0.0.4; charset=utf-8");
const OPEN_METRICS: &str = "application/openmetrics-text";
const OPEN_METRICS_TEXT: HeaderValue =
    HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8");

/// The metrics.
pub async fn metrics(State(app): State<Arc<App>>, headers: HeaderMap) -> Response {
    app.engine.observe();
    let text = app.metrics.render();
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|value| value.to_str().ok());
    if accepted.into_iter().any(|value| value.contains(OPEN_METRICS)) {
        return ([(CONTENT_TYPE, OPEN_METRICS_TEXT)], open_metrics(&text)).into_response();
    }
    ([(CONTENT_TYPE, TEXT)], text).into_response()
}

/// The text format as OpenMetrics 1.0: the family of a counter is named without `_total`, bounds of
/// buckets are floats, no line is empty, and the last line is `# EOF`.
pub fn open_metrics(text: &str) -> String {
    let counters: Vec<&str> = text
        .lines()
        .filter_map(|line| line.strip_prefix("# TYPE ")?.strip_suffix(" counter"))
        .filter_map(|name| name.strip_suffix("_total"))
        .collect();
    let mut open = String::with_capacity(text.len() + 16);
    for line in text.lines().filter(|line| !line.is_empty()) {
        match line.strip_prefix("# ").and_then(|rest| described(rest, &counters)) {
            Some(line) => open.push_str(&line),
            None => open.push_str(&with_float_bound(line)),
        }
        open.push('\n');
    }
    open.push_str("# EOF\n");
    open
}

/// A line about a family: `TYPE name kind` or `HELP name text`.
fn described(rest: &str, counters: &[&str]) -> Option<String> {
    let mut parts = rest.splitn(3, ' ');
    let (what, name, text) = (parts.next()?, parts.next()?, parts.next().unwrap_or_default());
    let family = name.strip_suffix("_total").filter(|name| counters.contains(name));
    let text = if what == "TYPE" && text == "untyped" { "unknown" } else { text };
    Some(format!("# {what} {} {text}", family.unwrap_or(name)))
}

fn with_float_bound(line: &str) -> String {
    let bound = line.split_once("le=\"").and_then(|(before, rest)| {
        let (bound, after) = rest.split_once('"')?;
        bound.bytes().all(|byte| byte.is_ascii_digit()).then_some((before, bound, after))
    });
    match bound {
        Some((before, bound, after)) => format!("{before}le=\"{bound}.0\"{after}"),
        None => line.to_owned(),
    }
}
