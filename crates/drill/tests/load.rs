//! The whole generator against a tiny server: counts that must be exact, and faults that must show.

mod server;

use std::time::Duration;

use drill::load::{
    Arrivals, Distribution, LoadError, Mode, Phase, Plan, Progress, Report, ValueLen, run,
};
use server::{Fault, Server};

const REQUESTS: u64 = 2_000;

fn plan(server: &Server) -> Plan {
    let mut plan = Plan {
        targets: vec![server.address.parse().unwrap()],
        connections: 4,
        value_len: ValueLen::Uniform(0, 300),
        requests: Some(REQUESTS),
        duration: Duration::from_secs(60),
        warmup: Duration::ZERO,
        verify: true,
        ..Plan::default()
    };
    plan.keys.count = 500;
    plan
}

fn run_quietly(plan: &Plan) -> Result<Report, LoadError> {
    run(plan, &mut |_| {})
}

#[test]
fn a_closed_loop_sends_exactly_what_was_asked_and_finds_every_key() {
    let server = Server::start(Fault::None, None);
    for (pipeline, threads) in [(1, 1), (16, 1), (3, 2)] {
        let mut plan = plan(&server);
        plan.pipeline = pipeline;
        plan.threads = threads;
        plan.mix = "get=8,set=1,mget=1/7,touch=1".parse().unwrap();
        let report = run_quietly(&plan).unwrap();
        assert_eq!(report.requests, REQUESTS);
        assert_eq!(report.misses, 0);
        assert_eq!(report.errors.total(), 0);
        assert_eq!(report.latency.count, REQUESTS);
        assert_eq!(report.prefill.unwrap().items, 500);
        let by_op: u64 = report.by_op.iter().map(|op| op.requests).sum();
        assert_eq!(by_op, REQUESTS);
        assert_eq!(report.generator.threads.len(), threads as usize);
        assert_eq!(report.connect.count, 4);
        assert!(report.bytes_sent > 0 && report.bytes_received > 0);
    }
    assert_eq!(server.item_count(), 500);
}

#[test]
fn a_sequential_walk_reads_every_key_once() {
    let server = Server::start(Fault::None, None);
    let mut plan = plan(&server);
    plan.keys.distribution = Distribution::Sequential;
    plan.mix = "get".parse().unwrap();
    plan.connections = 1;
    plan.requests = Some(500);
    plan.pipeline = 64;
    let report = run_quietly(&plan).unwrap();
    assert_eq!((report.hits, report.misses), (500, 0));
}

#[test]
fn what_is_not_there_is_a_miss() {
    let server = Server::start(Fault::None, None);
    let mut plan = plan(&server);
    plan.prefill = false;
    plan.mix = "get=1,mget=1/3,delete=1,touch=1".parse().unwrap();
    let report = run_quietly(&plan).unwrap();
    assert_eq!(report.hits, 0);
    assert_eq!(report.keys_read, report.misses);
    let deletes = report.by_op.iter().find(|op| op.op == "delete").unwrap();
    assert_eq!(deletes.misses, deletes.requests);
    assert_eq!(report.errors.total(), 0);
}

#[test]
fn an_open_loop_sends_every_request_that_was_due() {
    let server = Server::start(Fault::None, None);
    for arrivals in [Arrivals::Fixed, Arrivals::Poisson] {
        let mut plan = plan(&server);
        plan.mode = Mode::Open {
            rate_per_s: 20_000.0,
            arrivals,
        };
        let report = run_quietly(&plan).unwrap();
        let open = report.open.unwrap();
        assert_eq!((open.due, open.unsent), (REQUESTS, 0));
        assert_eq!(report.requests, REQUESTS);
        assert_eq!(report.generator.lag.count, REQUESTS);
    }
}

#[test]
fn requests_that_a_dead_server_never_let_go_are_counted_with_their_wait() {
    let server = Server::start(Fault::IgnoreGets, None);
    let mut plan = plan(&server);
    plan.prefill = false;
    plan.mix = "get".parse().unwrap();
    plan.mode = Mode::Open {
        rate_per_s: 1_000.0,
        arrivals: Arrivals::Fixed,
    };
    plan.requests = None;
    plan.duration = Duration::from_millis(200);
    plan.timeout = Duration::from_millis(100);
    let report = run_quietly(&plan).unwrap();
    let open = report.open.unwrap();
    assert_eq!(report.requests, 0);
    assert_eq!(open.due, 200);
    assert!(open.unsent > 100, "{open:?}");
    assert_eq!(report.errors.timeouts + open.unsent, 200);
    assert_eq!(report.latency.count, 200);
    assert!(report.latency.p50_us >= 50_000.0);
}

#[test]
fn tenants_log_in_and_have_figures_of_their_own() {
    let server = Server::start(Fault::None, Some("acme s3cret"));
    let mut plan = plan(&server);
    plan.tenants = vec!["acme:s3cret".parse().unwrap(); 2];
    let report = run_quietly(&plan).unwrap();
    assert_eq!(report.by_tenant.len(), 2);
    let requests: u64 = report.by_tenant.iter().map(|it| it.requests).sum();
    assert_eq!(requests, REQUESTS);
    assert!(
        report
            .by_tenant
            .iter()
            .all(|it| it.latency.count == it.requests)
    );
}

#[test]
fn a_refused_login_ends_the_run_with_the_servers_words() {
    let server = Server::start(Fault::None, Some("acme s3cret"));
    let mut plan = plan(&server);
    plan.tenants = vec!["acme:wrong".parse().unwrap()];
    let error = run_quietly(&plan).unwrap_err().to_string();
    assert!(error.contains("\"acme\""), "{error}");
    assert!(error.contains("authentication failure"), "{error}");
    assert!(!error.contains("wrong"), "a password is not shown: {error}");
}

#[test]
fn a_unix_socket_is_as_good() {
    let path = std::env::temp_dir().join(format!("drill-{}.sock", std::process::id()));
    let _ = std::fs::remove_file(&path);
    let server = Server::start_unix(&path);
    let report = run_quietly(&plan(&server)).unwrap();
    std::fs::remove_file(&path).unwrap();
    assert_eq!((report.requests, report.errors.total()), (REQUESTS, 0));
}

#[test]
fn a_broken_connection_is_opened_again_and_counted() {
    let server = Server::start(Fault::CloseAtGet(100), None);
    let mut plan = plan(&server);
    plan.mix = "get".parse().unwrap();
    let report = run_quietly(&plan).unwrap();
    assert!(report.errors.closed >= 10, "{:?}", report.errors);
    assert_eq!(report.requests + report.errors.closed, REQUESTS);
    assert_eq!(report.errors.total(), report.errors.closed);
    assert!(report.reconnects >= report.errors.closed - 4);
    assert!(server.connection_count() > 4);
}

#[test]
fn one_wrong_byte_is_an_error() {
    let server = Server::start(Fault::CorruptAtGet(3), None);
    let mut plan = plan(&server);
    plan.value_len = ValueLen::Fixed(100);
    plan.mix = "get".parse().unwrap();
    let report = run_quietly(&plan).unwrap();
    assert_eq!(report.errors.corrupt, 4, "one for each connection");
    assert!(report.first_error.unwrap().contains("offset: 99"));
    plan.verify = false;
    assert_eq!(run_quietly(&plan).unwrap().errors.total(), 0);
}

#[test]
fn nonsense_is_an_error_and_a_new_connection() {
    let server = Server::start(Fault::Babble, None);
    let mut plan = plan(&server);
    plan.mix = "get".parse().unwrap();
    plan.requests = Some(20);
    let report = run_quietly(&plan).unwrap();
    assert_eq!(report.requests, 0);
    assert_eq!(report.errors.protocol, 20);
    assert_eq!(report.first_error.as_deref(), Some("what?"));
}

#[test]
fn a_prefill_that_is_refused_ends_the_run() {
    let server = Server::start(Fault::RefuseSets, None);
    let error = run_quietly(&plan(&server)).unwrap_err();
    assert!(
        matches!(error, LoadError::Prefill { stored: 0, .. }),
        "{error}"
    );
    assert!(error.to_string().contains("out of memory"));
}

#[test]
fn a_target_where_nobody_listens_is_named() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap().to_string();
    drop(listener);
    let mut nowhere = plan(&Server::start(Fault::None, None));
    nowhere.targets = vec![address.parse().unwrap()];
    nowhere.threads = 2;
    let error = run_quietly(&nowhere).unwrap_err();
    assert!(matches!(error, LoadError::Connect { .. }), "{error}");
    assert!(error.to_string().contains(&address));
}

#[test]
fn held_connections_answer_once_and_stay() {
    let server = Server::start(Fault::None, None);
    let mut plan = plan(&server);
    plan.connections = 40;
    plan.threads = 2;
    plan.hold = Some(Duration::from_millis(1));
    let mut phases = Vec::new();
    let report = run(&plan, &mut |progress: &Progress| {
        phases.push(progress.phase)
    })
    .unwrap();
    let hold = report.hold.unwrap();
    assert_eq!((hold.opened, hold.alive), (40, 40));
    assert_eq!((report.requests, report.hits), (40, 40));
    phases.dedup();
    assert_eq!(
        phases,
        [Phase::Connect, Phase::Prefill, Phase::Measure, Phase::Hold]
    );
}

#[test]
fn without_progress_nothing_is_told_and_all_that_is_measured_counts() {
    let server = Server::start(Fault::None, None);
    let mut plan = plan(&server);
    plan.threads = 2;
    plan.progress_every = None;
    let report = run(&plan, &mut |progress: &Progress| panic!("told {progress}")).unwrap();
    assert_eq!(
        (report.requests, report.latency.count),
        (REQUESTS, REQUESTS)
    );
    plan.hold = Some(Duration::from_millis(1));
    let report = run(&plan, &mut |progress: &Progress| panic!("told {progress}")).unwrap();
    assert_eq!((report.requests, report.hits), (4, 4));
}

#[test]
fn the_same_seed_asks_the_same() {
    let server = Server::start(Fault::None, None);
    let mut plan = plan(&server);
    plan.connections = 1;
    let one = run_quietly(&plan).unwrap();
    let two = run_quietly(&plan).unwrap();
    assert_eq!(one.bytes_sent, two.bytes_sent);
    assert_eq!(one.bytes_received, two.bytes_received);
    plan.seed += 1;
    let other = run_quietly(&plan).unwrap();
    assert_ne!(one.bytes_sent, other.bytes_sent);
}
