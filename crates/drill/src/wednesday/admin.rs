//! What a gateway tells its operator, asked through its admin socket.

use std::io::{Read, Write};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::time::Duration;

use serde_json::Value;

/// One that does not answer within this is asked again later.
const PATIENCE: Duration = Duration::from_secs(2);

/// The way to one gateway's operator interface.
#[derive(Clone, Debug)]
pub(crate) struct Admin {
    pub(crate) socket: PathBuf,
}

/// What a gateway knows of judging.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct View {
    pub(crate) nodes: Vec<NodeView>,
    /// Kinds, since when in Unix milliseconds, and whom they name.
    pub(crate) notices: Vec<(String, u64, Vec<String>)>,
    /// Nodes that the gate refused, and when, in Unix milliseconds.
    pub(crate) refused: Vec<(String, u64)>,
}

/// One node.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct NodeView {
    pub(crate) name: String,
    pub(crate) state: String,
    /// In thousandths.
    pub(crate) share: u64,
    /// When it came to which state, in Unix milliseconds: what was decided, and where it stands.
    pub(crate) past: Vec<(u64, String)>,
}

impl Admin {
    /// What is known of judging; `None` if it does not answer, or nothing is known.
    pub(crate) fn judging(&self) -> Option<View> {
        Some(View::of(&self.ask("/v1/fleet/judging")?))
    }

    /// Whether all nodes own their keys and no change is under way.
    pub(crate) fn is_whole(&self, nodes: usize) -> bool {
        self.ask("/v1/fleet").is_some_and(|report| {
            let members = report["members"].as_array();
            let owners = members.into_iter().flatten();
            let owners =
                owners.filter(|it| it["role"] == "cache" && it["slots"].as_u64() > Some(0));
            owners.count() == nodes && report["ring"]["moving"] == 0
        })
    }

    fn ask(&self, path: &str) -> Option<Value> {
        let mut stream = UnixStream::connect(&self.socket).ok()?;
        stream.set_read_timeout(Some(PATIENCE)).ok()?;
        let question =
            format!("GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
        stream.write_all(question.as_bytes()).ok()?;
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).ok()?;
        let text = String::from_utf8(answer).ok()?;
        let (head, body) = text.split_once("\r\n\r\n")?;
        head.starts_with("HTTP/1.1 200").then_some(())?;
        serde_json::from_str(body).ok()
    }
}

impl NodeView {
    /// Whether it has none of its keys, or a few to be tried out with.
    pub(crate) fn is_out(&self) -> bool {
        matches!(self.state.as_str(), "ejected" | "probation")
    }
}

impl View {
    fn of(report: &Value) -> Self {
        let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        let nodes = report["nodes"].as_array().into_iter().flatten();
        let notices = report["notices"].as_array().into_iter().flatten();
        let tested = report["gate"]["nodes"].as_array().into_iter().flatten();
        let refused = tested.filter(|it| it["outcome"] == "refused");
        Self {
            nodes: nodes
                .map(|node| {
                    let past = node["past"].as_array().into_iter().flatten();
                    let decided = past.map(|it| {
                        let at = it["at_unix_ms"].as_u64().unwrap_or(0);
                        (at, text(&it["state"]))
                    });
                    // Who is gone is taken out by whoever looks after the ring.
                    let now = (
                        node["since_unix_ms"].as_u64().unwrap_or(0),
                        text(&node["state"]),
                    );
                    NodeView {
                        name: text(&node["name"]),
                        state: text(&node["state"]),
                        share: node["share"].as_u64().unwrap_or(0),
                        past: decided.chain([now]).collect(),
                    }
                })
                .collect(),
            refused: refused
                .map(|it| (text(&it["name"]), it["at_unix_ms"].as_u64().unwrap_or(0)))
                .collect(),
            notices: notices
                .map(|notice| {
                    let members = notice["members"].as_array().into_iter().flatten();
                    (
                        text(&notice["kind"]),
                        notice["since_unix_ms"].as_u64().unwrap_or(0),
                        members.map(text).collect(),
                    )
                })
                .collect(),
        }
    }

    /// Whether all nodes serve at full weight, and there is nothing to tell.
    pub(crate) fn is_well(&self) -> bool {
        self.notices.is_empty() && self.nodes.iter().all(|node| node.state == "serving")
    }
}

#[cfg(test)]
#[path = "admin_test.rs"]
mod tests;
