//! Tests of what becomes of a copy, and of its cache.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use base::fleet::{Claim, MemberId, Slot};
use base::kv::{
    Expiry, Get, Item, Op, Outcome, Pin, Recache, Reservation, Sink, Stats, Store, Value,
};
use gateway::{Chunk, Execution};
use node_proto::{Hello, Inbox, Message, Reply, RequestId, VERSION, VERSION_LEAST};

use super::*;
use crate::NodeConfig;

/// Items under their whole keys, tenant by tenant.
type Shelf = Rc<RefCell<HashMap<Vec<u8>, Vec<u8>>>>;

#[derive(Clone, Default)]
struct Shelves(Rc<RefCell<HashMap<TenantId, Shelf>>>);

impl Landlord for Shelves {
    fn provide(&self, _: Timestamp, terms: &TenantTerms) {
        self.0.borrow_mut().entry(terms.tenant).or_default();
    }

    fn forget(&self, tenant: TenantId) {
        self.0.borrow_mut().remove(&tenant);
    }
}

impl Backend for Shelves {
    type Tenant = Shelf;
    type Prefetch = ();

    fn open(&self, tenant: TenantId) -> Option<Shelf> {
        self.0.borrow().get(&tenant).cloned()
    }

    fn execute<S: Sink>(
        &self,
        shelf: &Shelf,
        _: Timestamp,
        op: &Op<'_>,
        sink: &mut S,
    ) -> Execution {
        let mut shelf = shelf.borrow_mut();
        let outcome = match op {
            Op::Get(get) => match shelf.get(get.key) {
                Some(value) => {
                    sink.item(&item(value));
                    Outcome::Hit
                }
                None => Outcome::Miss,
            },
            Op::Store(store) => {
                shelf.insert(store.key.to_vec(), store.value.to_vec());
                Outcome::Stored {
                    cas: 1,
                    value_len: 0,
                }
            }
            _ => Outcome::NotFound,
        };
        Execution::Done(outcome)
    }

    fn prefetch(&self, _: &Shelf, _: &[u8]) -> Option<()> {
        None
    }

    fn prefetch_item(&self, _: &Shelf, (): ()) -> Option<()> {
        None
    }

    fn reserve(
        &self,
        _: &Shelf,
        _: Timestamp,
        _: &Store<'_>,
        _: u32,
    ) -> Result<Reservation, Outcome> {
        Err(Outcome::NotStored)
    }

    fn fill(&self, _: &Shelf, _: Reservation, _: &[u8]) -> bool {
        false
    }

    fn commit(&self, _: &Shelf, _: Timestamp, _: Reservation) -> Execution {
        Execution::Done(Outcome::NotStored)
    }

    fn abort(&self, _: &Shelf, _: Reservation) {}

    fn read_pinned(&self, _: &Shelf, _: Pin, _: u32, _: usize, _: &mut Vec<u8>) -> Chunk {
        Chunk::Lost
    }

    fn unpin(&self, _: &Shelf, _: Pin) {}

    fn flush(&self, _: &Shelf, _: Timestamp, _: Timestamp) {}

    fn stats(&self, _: &Shelf) -> Stats {
        Stats::default()
    }

    fn reset_stats(&self, _: &Shelf) {}

    fn maintain(&mut self, _: Timestamp) -> bool {
        false
    }
}

fn item(value: &[u8]) -> Item<'_> {
    Item {
        value: Value::Inline(value),
        flags: 0,
        cas: 1,
        expiry: Expiry::NEVER,
        idle_s: 0,
        fetched: false,
        stale: false,
        recache: Recache::No,
    }
}

const T0: Timestamp = Timestamp::from_secs(1_800_000_000);
const TENANT: TenantId = TenantId(5);

struct Fixture {
    node: Node<Shelves, Shelves>,
    shelves: Shelves,
    link: LinkId,
}

impl Fixture {
    fn new() -> Self {
        let config = NodeConfig {
            member: MemberId(1),
            name: "node1".to_owned(),
            instance: 1,
            credits: 10,
        };
        let shelves = Shelves::default();
        let mut node = Node::new(config, shelves.clone(), shelves.clone());
        let link = node.accept();
        let mut fixture = Self {
            node,
            shelves,
            link,
        };
        let hello = Message::Hello(Hello {
            version_max: VERSION,
            version_least: VERSION_LEAST,
            instance: 2,
            connection: 0,
            epoch: 0,
            credits: 0,
            name: "gateway1".to_owned(),
        });
        fixture.say(T0, &hello);
        fixture.node.greet(link);
        fixture.drop_answers();
        fixture
    }

    fn say(&mut self, arrived: Timestamp, message: &Message<'_>) {
        let mut bytes = Vec::new();
        message.encode(&mut bytes);
        self.node.receive(T0, arrived, self.link, &bytes).unwrap();
    }

    fn drop_answers(&mut self) {
        let count = self.node.outgoing(self.link).len();
        self.node.sent(self.link, count);
    }

    /// Sends it, and what came of it.
    fn ask(&mut self, message: &Message<'_>) -> (Verdict, Option<Vec<u8>>) {
        self.say(T0, message);
        let mut answer = None;
        let each = |message: Message<'_>| {
            if let Message::Reply(Reply {
                verdict, payload, ..
            }) = message
            {
                let value = payload.map(|it| match it.item.value {
                    Value::Inline(value) => value.to_vec(),
                    Value::Pinned(_) => Vec::new(),
                });
                answer = Some((verdict, value));
            }
        };
        Inbox::default()
            .take(self.node.outgoing(self.link), each)
            .unwrap();
        self.drop_answers();
        answer.unwrap()
    }
}

fn request(tenant: TenantId, op: Op<'_>) -> Request<'_> {
    Request {
        id: RequestId {
            slot: 1,
            generation: 1,
        },
        tenant,
        budget: Duration::from_millis(50),
        claim: Claim {
            slot: Slot::of_hash(0),
            epoch: Epoch::ZERO,
            vouched: true,
        },
        op,
        large_len: None,
    }
}

fn set<'a>(key: &'a [u8], value: &'a [u8]) -> Op<'a> {
    Op::Store(Store::plain(key, value))
}

fn get(key: &[u8]) -> Op<'_> {
    Op::Get(Get::plain(key))
}

fn terms_of(tenant: TenantId) -> Message<'static> {
    Message::Tenant(TenantTerms { tenant, ..terms() })
}

#[test]
fn a_copy_is_carried_out_where_no_request_finds_it() {
    let mut it = Fixture::new();
    it.say(T0, &terms_of(TENANT));
    let stored = it.ask(&Message::Copy(request(TENANT, set(b"k", b"copied"))));
    assert!(matches!(stored.0, Verdict::Done(Outcome::Stored { .. })));
    let copied = it.ask(&Message::Copy(request(TENANT, get(b"k"))));
    assert_eq!(
        copied,
        (Verdict::Done(Outcome::Hit), Some(b"copied".to_vec()))
    );
    // Whatever the ring is, a request of the tenant looks in the tenant's own cache.
    for epoch in [0, 1, u64::from(TENANT.0), 77] {
        let mut real = request(TENANT, get(b"k"));
        real.claim.epoch = Epoch(epoch);
        let read = it.ask(&Message::Request(real));
        assert_eq!(read, (Verdict::Done(Outcome::Miss), None), "epoch {epoch}");
    }
    assert!(it.shelves.0.borrow()[&TENANT].borrow().is_empty());
    let figures = it.node.figures();
    assert_eq!((figures.copies, figures.served), (2, 4));
}

#[test]
fn tenants_do_not_meet_there_and_need_not_be_known() {
    let mut it = Fixture::new();
    it.ask(&Message::Copy(request(TENANT, set(b"k", b"one"))));
    it.ask(&Message::Copy(request(TenantId(6), set(b"k", b"other"))));
    let read = it.ask(&Message::Copy(request(TENANT, get(b"k"))));
    assert_eq!(read.1.unwrap(), b"one");
}

#[test]
fn what_was_kept_of_copies_is_given_back_after_a_minute_without_any() {
    let mut it = Fixture::new();
    it.ask(&Message::Copy(request(TENANT, set(b"k", b"v"))));
    it.node.maintain(T0 + IDLE_MAX - Duration::from_nanos(1));
    assert!(it.shelves.0.borrow().contains_key(&COPIES));
    it.node.maintain(T0 + IDLE_MAX);
    assert!(!it.shelves.0.borrow().contains_key(&COPIES));
    // The next begins anew.
    let read = it.ask(&Message::Copy(request(TENANT, get(b"k"))));
    assert_eq!(read, (Verdict::Done(Outcome::Miss), None));
}

#[test]
fn one_that_comes_too_late_or_in_pieces_is_not_carried_out() {
    let mut it = Fixture::new();
    let mut large = request(TENANT, set(b"k", b""));
    large.large_len = Some(100_000);
    assert_eq!(it.ask(&Message::Copy(large)).0, Verdict::NoTenant);
    let late = Message::Copy(request(TENANT, set(b"k", b"v")));
    let mut bytes = Vec::new();
    late.encode(&mut bytes);
    let now = T0 + Duration::from_millis(60);
    it.node.receive(now, T0, it.link, &bytes).unwrap();
    assert_eq!(it.node.figures().copies, 0);
}

#[test]
fn another_node_may_send_none() {
    let mut it = Fixture::new();
    it.node.confine(it.link);
    let mut bytes = Vec::new();
    Message::Copy(request(TENANT, get(b"k"))).encode(&mut bytes);
    let refused = it.node.receive(T0, T0, it.link, &bytes);
    assert_eq!(refused, Err(crate::Broken::OutOfPlace));
}
