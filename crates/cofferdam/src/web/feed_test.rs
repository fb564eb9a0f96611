//! What those who follow are sent, and when it ends.

use axum::body::to_bytes;

use super::*;

struct Counted(u64);

impl Follower for Counted {
    async fn next(&mut self) -> Option<Vec<Event>> {
        self.0 = self.0.checked_sub(1)?;
        Some(vec![
            figures(
                7,
                [("a".to_owned(), &1.5), ("b".to_owned(), &f32::NAN)].into_iter(),
            ),
            news(self.0),
        ])
    }
}

#[tokio::test]
async fn seconds_are_sent_until_there_are_no_more() {
    let response = follow(Counted(2));
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let body = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    let text = String::from_utf8(body.to_vec()).unwrap();
    let second = r#"data: {"time_s":7,"figures":{"a":1.5,"b":null}}"#;
    assert_eq!(text.matches(second).count(), 2, "{text}");
    assert!(text.contains("retry: 1000") && text.contains("event: events\ndata: 0\n"));
}

#[tokio::test]
async fn a_past_that_is_not_kept_is_said_to_be_so() {
    let asked = history(None, HistoryQuery::default(), 7).await;
    assert_eq!(asked.status(), StatusCode::SERVICE_UNAVAILABLE);
    let query = HistoryQuery {
        names: Some("a,".repeat(65)),
        ..HistoryQuery::default()
    };
    let asked = history(None, query, 7).await;
    assert_eq!(asked.status(), StatusCode::BAD_REQUEST);
}
