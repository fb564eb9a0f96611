//! The API over real sockets, with a fake data plane behind it.

use std::net::SocketAddr;
use std::sync::atomic::Ordering;

use runtime::http::{Endpoint, Guard, Listeners, Method, Server, request};
use serde_json::{Value, json};

use super::*;
use crate::fake_plane::FakePlane;

struct Setup {
    dir: tempfile::TempDir,
    _server: Server,
    tcp: SocketAddr,
}

fn start() -> Setup {
    let dir = tempfile::tempdir().unwrap();
    let (_, control) = FakePlane::with_control(dir.path());
    let api = Api {
        reload: Some(Arc::new(|| {
            Err(Failure::new("cofferdam.toml:3: unknown field"))
        })),
        ..Api::new(Arc::new(control), Clock::new())
    };
    api.ready.store(true, Ordering::Release);
    let any = Some("127.0.0.1:0".parse().unwrap());
    let listeners = Listeners::bind(&dir.path().join("admin.sock"), any).unwrap();
    let tcp = listeners.tcp_addr().unwrap();
    let guard = Guard {
        token: "secret".into(),
        hosts: Vec::new(),
        open_paths: OPEN_PATHS,
    };
    let server = listeners.serve(api.router(), guard).unwrap();
    Setup {
        dir,
        _server: server,
        tcp,
    }
}

impl Setup {
    fn ask(&self, method: Method, path: &str, body: &str) -> (u16, Value) {
        let endpoint = Endpoint::Unix(self.dir.path().join("admin.sock"));
        let response = request(&endpoint, method, path, Some(body.into())).unwrap();
        let value = serde_json::from_slice(&response.body).unwrap_or(Value::Null);
        (response.status, value)
    }

    fn add(&self, name: &str) -> Value {
        let body = json!({ "name": name, "memory_bytes": 16 << 20 }).to_string();
        let (status, grant) = self.ask(Method::POST, "/v1/tenants", &body);
        assert_eq!(status, 201, "{grant}");
        grant
    }
}

#[test]
fn a_tenant_s_whole_life() {
    let setup = start();
    let grant = setup.add("acme");
    assert_eq!(grant["servers"], json!(["127.0.0.1:11212"]));
    assert_eq!(grant["username"], "acme");
    let (_, list) = setup.ask(Method::GET, "/v1/tenants", "");
    assert_eq!(list[1]["tenant"], "acme");
    assert!(
        !list
            .to_string()
            .contains(grant["password"].as_str().unwrap())
    );
    let limit = json!({ "memory_bytes": 20 << 20 }).to_string();
    let (_, view) = setup.ask(Method::PATCH, "/v1/tenants/acme", &limit);
    assert_eq!(view["memory_bytes"], 20 << 20);
    let body = json!({ "primary": true }).to_string();
    let (status, new) = setup.ask(Method::POST, "/v1/tenants/acme/credentials", &body);
    assert_eq!(status, 201);
    let old = "/v1/tenants/acme/credentials/acme";
    assert_eq!(
        setup.ask(Method::POST, &format!("{old}/promote"), "").0,
        204
    );
    let (status, revoked) = setup.ask(Method::DELETE, old, "");
    assert_eq!((status, &revoked["credentials_left"]), (200, &json!(1)));
    let (_, left) = setup.ask(Method::GET, "/v1/tenants/acme/credentials", "");
    assert_eq!(left[0]["username"], new["username"]);
    assert_eq!(setup.ask(Method::POST, "/v1/tenants/acme/flush", "").0, 204);
    let (_, stat) = setup.ask(Method::GET, "/v1/stat?tenant=acme", "");
    assert_eq!(stat["tenants"][0]["cache"]["held_bytes"], 4096);
    assert_eq!(setup.ask(Method::DELETE, "/v1/tenants/acme", "").0, 204);
    assert_eq!(setup.ask(Method::GET, "/v1/tenants/acme", "").0, 404);
}

#[test]
fn every_error_is_json_with_a_reason() {
    let setup = start();
    setup.add("acme");
    let cases = [
        (Method::POST, "/v1/tenants", "{", 400),
        (Method::POST, "/v1/tenants", "{\"name\":\"x\"}", 422),
        (
            Method::POST,
            "/v1/tenants",
            "{\"name\":\"x\",\"memory_bytes\":1,\"y\":1}",
            422,
        ),
        (
            Method::POST,
            "/v1/tenants",
            "{\"name\":\"X\",\"memory_bytes\":1}",
            400,
        ),
        (
            Method::POST,
            "/v1/tenants",
            "{\"name\":\"acme\",\"memory_bytes\":9999999}",
            409,
        ),
        (
            Method::POST,
            "/v1/tenants",
            "{\"name\":\"big\",\"memory_bytes\":999999999999}",
            409,
        ),
        (
            Method::PATCH,
            "/v1/tenants/default",
            "{\"memory_bytes\":9999999}",
            400,
        ),
        (
            Method::DELETE,
            "/v1/tenants/acme/credentials/nobody",
            "",
            404,
        ),
        (Method::GET, "/v1/tenants/..%2F..%2Fetc", "", 404),
        (Method::GET, "/v1/stat?tenant=nobody", "", 404),
        (Method::POST, "/v1/reload", "", 422),
        (Method::GET, "/v2", "", 404),
        (Method::DELETE, "/v1/stat", "", 405),
    ];
    for (method, path, body, expected) in cases {
        let (status, answer) = setup.ask(method.clone(), path, body);
        assert_eq!(status, expected, "{method} {path} {body}: {answer}");
        assert!(
            answer["error"].is_string(),
            "{method} {path} {body}: {answer}"
        );
    }
}

#[test]
fn a_body_beyond_the_limit_is_refused() {
    let setup = start();
    let body = format!("{{\"name\":\"{}\"", "x".repeat(BODY_LEN_MAX));
    assert_eq!(setup.ask(Method::POST, "/v1/tenants", &body).0, 413);
}

#[test]
fn a_failed_reload_says_that_nothing_has_changed() {
    let setup = start();
    let (_, answer) = setup.ask(Method::POST, "/v1/reload", "");
    let error = answer["error"].as_str().unwrap();
    assert!(
        error.contains(":3:") && error.contains("stays in force"),
        "{error}"
    );
}

#[test]
fn a_backup_is_a_file_that_restores() {
    let setup = start();
    setup.add("acme");
    let endpoint = Endpoint::Unix(setup.dir.path().join("admin.sock"));
    let response = request(&endpoint, Method::GET, "/v1/state/backup", None).unwrap();
    let other = tempfile::tempdir().unwrap();
    let file = other.path().join("backup");
    std::fs::write(&file, response.body).unwrap();
    runtime::state::restore(other.path(), &file).unwrap();
    let state = runtime::state::State::open(other.path()).unwrap();
    assert_eq!(state.tenants().unwrap()[0].name, "acme");
}

#[test]
fn over_tcp_only_health_is_open() {
    let setup = start();
    let status = |token: &str, path: &str| {
        let endpoint = Endpoint::Port {
            origin: setup.tcp.into(),
            token: token.into(),
        };
        request(&endpoint, Method::GET, path, None).unwrap().status
    };
    assert_eq!(status("", "/livez"), 200);
    assert_eq!(status("", "/readyz"), 200);
    assert_eq!(status("", "/v1/tenants"), 401);
    assert_eq!(status("guess", "/v1/state/backup"), 401);
    assert_eq!(status("secret", "/v1/tenants"), 200);
}

#[test]
fn a_user_s_mistake_is_not_a_failure_of_ours() {
    let setup = start();
    let tiny = json!({ "name": "tiny", "memory_bytes": 65536, "item_size_bytes": 1024 });
    let (status, body) = setup.ask(Method::POST, "/v1/tenants", &tiny.to_string());
    assert_eq!(status, 400, "{body}");
    let text = body["error"].as_str().unwrap();
    assert!(text.contains("at least 256KiB"), "{text}");
}

#[test]
fn who_asks_a_process_that_has_given_the_state_away_is_sent_to_the_successor() {
    let dir = tempfile::tempdir().unwrap();
    let (_, control) = FakePlane::with_control(dir.path());
    let control = Arc::new(control);
    let router = Api::new(Arc::clone(&control), Clock::new()).router();
    control.release_state();
    let body = br#"{"name":"acme","memory_bytes":16777216}"#;
    for (method, path, body) in [
        (Method::POST, "/v1/tenants", Some(body.to_vec())),
        (Method::GET, "/v1/tenants", None),
    ] {
        let answer = runtime::http::call(router.clone(), method, path, body).unwrap();
        assert_eq!(answer.status, 421, "{path}");
    }
}
