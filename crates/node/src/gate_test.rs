//! Tests of what a node does for the gate, and of what another node may ask of it.

use base::fleet::MemberId;
use base::kv::{Op, Outcome, Pin, Reservation, Sink, Stats, Store};
use base::{TenantId, Timestamp};
use gateway::{Chunk, Execution};
use node_proto::gate::PairExam;
use node_proto::{Hello, Inbox, TenantTerms, VERSION, VERSION_LEAST};

use super::*;
use crate::{Broken, NodeConfig};

/// No tenants are here.
struct Nobody;

impl Landlord for Nobody {
    fn provide(&self, _: Timestamp, _: &TenantTerms) {}

    fn forget(&self, _: TenantId) {}
}

impl Backend for Nobody {
    type Tenant = ();
    type Prefetch = ();

    fn open(&self, _: TenantId) -> Option<()> {
        None
    }

    fn execute<S: Sink>(&self, (): &(), _: Timestamp, _: &Op<'_>, _: &mut S) -> Execution {
        Execution::Done(Outcome::Miss)
    }

    fn prefetch(&self, (): &(), _: &[u8]) -> Option<()> {
        None
    }

    fn prefetch_item(&self, (): &(), (): ()) -> Option<()> {
        None
    }

    fn reserve(
        &self,
        (): &(),
        _: Timestamp,
        _: &Store<'_>,
        _: u32,
    ) -> Result<Reservation, Outcome> {
        Err(Outcome::NotStored)
    }

    fn fill(&self, (): &(), _: Reservation, _: &[u8]) -> bool {
        false
    }

    fn commit(&self, (): &(), _: Timestamp, _: Reservation) -> Execution {
        Execution::Done(Outcome::NotStored)
    }

    fn abort(&self, (): &(), _: Reservation) {}

    fn read_pinned(&self, (): &(), _: Pin, _: u32, _: usize, _: &mut Vec<u8>) -> Chunk {
        Chunk::Lost
    }

    fn unpin(&self, (): &(), _: Pin) {}

    fn flush(&self, (): &(), _: Timestamp, _: Timestamp) {}

    fn stats(&self, (): &()) -> Stats {
        Stats::default()
    }

    fn reset_stats(&self, (): &()) {}

    fn maintain(&mut self, _: Timestamp) -> bool {
        false
    }
}

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);

fn greeted() -> (Node<Nobody, Nobody>, LinkId) {
    let config = NodeConfig {
        member: MemberId(1),
        name: "node1".to_owned(),
        instance: 1,
        credits: 10,
    };
    let mut node = Node::new(config, Nobody, Nobody);
    let link = node.accept();
    let hello = Message::Hello(Hello {
        version_max: VERSION,
        version_least: VERSION_LEAST,
        instance: 2,
        connection: 0,
        epoch: 0,
        credits: 0,
        name: "gateway1".to_owned(),
    });
    say(&mut node, link, &hello).unwrap();
    node.greet(link);
    let greeting = node.outgoing(link).len();
    node.sent(link, greeting);
    (node, link)
}

fn say(node: &mut Node<Nobody, Nobody>, link: LinkId, message: &Message<'_>) -> Result<(), Broken> {
    let mut bytes = Vec::new();
    message.encode(&mut bytes);
    node.receive(T0, T0, link, &bytes)
}

fn heard(node: &Node<Nobody, Nobody>, link: LinkId) -> Vec<String> {
    let mut all = Vec::new();
    let each = |message: Message<'_>| all.push(format!("{message:?}"));
    Inbox::default().take(node.outgoing(link), each).unwrap();
    all
}

#[test]
fn so_many_bytes_are_given_back_as_were_asked_for_with_clock_times_and_segments() {
    let (mut node, link) = greeted();
    assert!(!node.is_examined(link));
    let echo = Message::Echo(Echo {
        token: 7,
        answer_len: 3,
        bytes: b"abcdef",
    });
    say(&mut node, link, &echo).unwrap();
    assert!(node.is_examined(link));
    let end = T0 + Duration::from_micros(9);
    node.settle(link, T0, T0 + Duration::from_micros(4), end);
    node.note_segments(link, Segments { sent: 8, resent: 1 });
    say(&mut node, link, &echo).unwrap();
    let answer = |queued, served, segments| {
        let answer = Echoed {
            token: 7,
            at: T0,
            queued,
            served,
            segments,
            bytes: &[0; 3],
        };
        format!("{:?}", Message::Echoed(answer))
    };
    let micros = Duration::from_micros;
    let first = answer(micros(4), micros(5), Segments::default());
    let second = answer(
        Duration::ZERO,
        Duration::ZERO,
        Segments { sent: 8, resent: 1 },
    );
    assert_eq!(heard(&node, link), [first, second]);
}

#[test]
fn what_is_to_be_tried_out_is_the_drivers_work_and_told_when_it_is_done() {
    let (mut node, link) = greeted();
    let exam = Exam::Pair(PairExam {
        name: "node2",
        address: "10.0.0.2:8322",
        length: Duration::from_secs(2),
        requests_per_s: 100,
        bytes_per_s: 1000,
    });
    say(&mut node, link, &Message::Exam { token: 5, exam }).unwrap();
    let errand = node.poll_errand().unwrap();
    assert_eq!(
        (errand.link, errand.token, errand.task),
        (link, 5, exam.into())
    );
    assert_eq!(node.poll_errand(), None);
    assert!(heard(&node, link).is_empty());
    let result = Examined::Failed("node1 cannot use node2".to_owned());
    node.examined(link, 5, result.clone());
    assert_eq!(
        heard(&node, link),
        [format!("{:?}", Message::Examined { token: 5, result })]
    );
}

#[test]
fn another_node_may_try_out_the_way_and_nothing_else() {
    let own = Message::Exam {
        token: 1,
        exam: Exam::Own(OwnExam::default()),
    };
    let ping = Message::Ping {
        token: 1,
        announced: None,
    };
    let flush = Message::Flush {
        tenant: TenantId(1),
        delay: Duration::ZERO,
    };
    for message in [own, ping, flush] {
        let (mut node, link) = greeted();
        node.confine(link);
        let echo = Message::Echo(Echo {
            token: 1,
            answer_len: 0,
            bytes: b"",
        });
        assert_eq!(say(&mut node, link, &echo), Ok(()));
        assert_eq!(
            say(&mut node, link, &message),
            Err(Broken::OutOfPlace),
            "{message:?}"
        );
        assert!(node.poll_errand().is_none());
    }
}
