//! What Prometheus scrapes, in both of its text formats.

use dossier::api::metrics::open_metrics;

use crate::support::api::Api;

#[tokio::test(flavor = "multi_thread")]
async fn metrics_are_in_the_format_that_is_asked_for() {
    let api = Api::start().await;
    api.get(&api.token("root").await, "/api/v1/counts").await.answers(200);
    let plain = api.send_bare("GET", "/metrics", &[], vec![]).await;
    assert_eq!(plain.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    let counters = |text: &str| -> Vec<String> {
        let types = text.lines().filter_map(|line| line.strip_prefix("# TYPE "));
        types.filter_map(|rest| rest.strip_suffix(" counter").map(str::to_owned)).collect()
    };
    let named = counters(&plain.text);
    assert!(named.iter().all(|name| name.ends_with("_total")) && named.len() > 3, "{named:?}");
    let accept = "application/openmetrics-text;version=1.0.0;q=0.5,text/plain;q=0.3";
    let open = api.send_bare("GET", "/metrics", &[("accept", accept)], vec![]).await;
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    assert_eq!(open.headers["content-type"], kind);
    for name in counters(&open.text) {
        assert!(!name.ends_with("_total"), "{name}");
        assert!(open.text.contains(&format!("\n{name}_total")), "{name}");
    }
    assert!(open.text.ends_with("\n# EOF\n"));
}

#[test]
fn open_metrics_names_families_without_total_and_bounds_as_floats() {
    let text = "\
# HELP a_total What a does.
# TYPE a_total counter
a_total{x=\"1\"} 3

# TYPE b histogram
b_bucket{le=\"0.5\"} 1
b_bucket{x=\"y\",le=\"16\"} 2
b_bucket{le=\"+Inf\"} 2
b_sum 4
b_count 2

# TYPE c_total gauge
c_total 7
";
    let expected = "\
# HELP a What a does.
# TYPE a counter
a_total{x=\"1\"} 3
# TYPE b histogram
b_bucket{le=\"0.5\"} 1
b_bucket{x=\"y\",le=\"16.0\"} 2
b_bucket{le=\"+Inf\"} 2
b_sum 4
b_count 2
# TYPE c_total gauge
c_total 7
# EOF
";
    assert_eq!(open_metrics(text), expected);
}
