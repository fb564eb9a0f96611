//! The whole router without a socket: each tenant sees and does what is its own, and nobody else.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method, header};
use runtime::http::Peer;
use tower::ServiceExt;

use super::*;
use crate::config::Config;
use crate::fake_plane::{FakePlane, MIB};
use crate::wire::{CredentialRequest, Grant, TenantRequest};

struct Site {
    _dir: tempfile::TempDir,
    parts: Parts,
    router: Router,
    runtime: tokio::runtime::Runtime,
    acme: Grant,
    globex: Grant,
}

struct Answer {
    status: u16,
    headers: HeaderMap,
    text: String,
}

impl Answer {
    fn cookie(&self) -> Option<String> {
        let cookie = self.headers.get(header::SET_COOKIE)?.to_str().unwrap();
        Some(cookie.split(';').next().unwrap().to_owned())
    }

    fn token(&self) -> String {
        let from = self
            .text
            .find("name=\"form_token\" value=\"")
            .expect("a form")
            + 25;
        self.text[from..from + 64].to_owned()
    }
}

impl Site {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let (plane, control) = FakePlane::with_control(dir.path());
        let add = |name: &str| {
            let request = TenantRequest {
                name: name.into(),
                memory_bytes: 8 * MIB,
                item_size_bytes: None,
                gateways: None,
            };
            control.add(&request).unwrap()
        };
        let (acme, globex) = (add("acme"), add("globex"));
        let clock = Clock::new();
        let plane: Arc<dyn DataPlane> = plane;
        let observatory = Arc::new(Observatory::new(Arc::clone(&plane), clock, dir.path()));
        let parts = Parts {
            control: Arc::new(control),
            plane,
            alerts: Arc::clone(&observatory.alerts),
            observatory,
            audit: Arc::new(Audit::open(dir.path())),
            hooks: Hooks::of(&Config::default()).unwrap(),
            clock,
        };
        let web = Web::new(parts.clone(), false).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Self {
            router: router(Arc::new(web)),
            runtime: runtime.unwrap(),
            parts,
            acme,
            globex,
            _dir: dir,
        }
    }

    fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        let common = [
            ("host", "localhost"),
            ("content-type", "application/x-www-form-urlencoded"),
        ];
        for (name, value) in common.iter().chain(headers) {
            request = request.header(*name, *value);
        }
        let request = request.extension(Peer("192.0.2.9".parse().unwrap()));
        let request = request.body(Body::from(body.to_owned())).unwrap();
        self.runtime.block_on(async {
            let response = self.router.clone().oneshot(request).await.unwrap();
            let (parts, body) = response.into_parts();
            let bytes = to_bytes(body, 1 << 20).await.unwrap();
            Answer {
                status: parts.status.as_u16(),
                headers: parts.headers,
                text: String::from_utf8(bytes.to_vec()).unwrap(),
            }
        })
    }

    fn get(&self, path: &str, cookie: &str) -> Answer {
        self.send(Method::GET, path, &[("cookie", cookie)], "")
    }

    fn post(&self, path: &str, cookie: &str, body: &str) -> Answer {
        self.send(Method::POST, path, &[("cookie", cookie)], body)
    }

    fn try_login(&self, username: &str, password: &str) -> Answer {
        let form = self.get("/login", "");
        let cookie = form.cookie().expect("a cookie for the form");
        let body = format!(
            "username={username}&password={password}&form_token={}",
            form.token()
        );
        self.post("/login", &cookie, &body)
    }

    fn login(&self, grant: &Grant) -> String {
        let answer = self.try_login(&grant.username, &grant.password);
        assert_eq!(answer.status, 303, "{}", answer.text);
        answer.cookie().expect("logged in")
    }

    /// Sends the form of a page that asks first.
    fn confirm(&self, path: &str, cookie: &str, fields: &str) -> Answer {
        let asked = self.get(path, cookie);
        assert_eq!(asked.status, 200, "{path}: {}", asked.text);
        let body = format!("form_token={}{fields}", asked.token());
        self.post(path, cookie, &body)
    }
}

#[test]
fn strangers_see_the_login_and_nothing_else() {
    let site = Site::new();
    for path in ["/", "/flush", "/credential", "/alerts"] {
        let answer = site.get(path, "");
        assert_eq!(answer.status, 303, "{path}");
        assert_eq!(answer.headers[header::LOCATION], "/login", "{path}");
    }
    for path in [
        "/live",
        "/data/history?names=tenant/acme/reads",
        "/data/events",
    ] {
        assert_eq!(site.get(path, "").status, 401, "{path}");
    }
    for path in ["/flush", "/credential", "/alerts", "/credentials/x/revoke"] {
        assert_eq!(site.post(path, "", "x=1").status, 401, "{path}");
    }
    // There is no way to the operators' side.
    for path in [
        "/v1/tenants",
        "/metrics",
        "/console/",
        "/console/login",
        "/readyz",
    ] {
        assert_eq!(site.get(path, "").status, 404, "{path}");
    }
}

#[test]
fn a_tenant_sees_its_own_and_no_other() {
    let site = Site::new();
    let cookie = site.login(&site.acme);
    let page = site.get("/", &cookie);
    assert_eq!(page.status, 200);
    assert!(page.text.contains(&site.acme.username) && page.text.contains("127.0.0.1:11212"));
    assert!(!page.text.contains("globex"));
    assert_eq!(page.headers[header::CACHE_CONTROL], "no-store");
    assert!(page.headers.contains_key(header::CONTENT_SECURITY_POLICY));
    for names in [
        "tenant/globex/reads",
        "service/reads",
        "tenant/acme/reads,tenant/globex/reads",
        "tenant/acme",
        "tenant/acmeX/reads",
        "",
    ] {
        let path = format!("/data/history?names={names}");
        assert_eq!(site.get(&path, &cookie).status, 400, "{names}");
    }
    assert_eq!(site.get("/data/history", &cookie).status, 400);
    let own = site.get("/data/history?names=tenant/acme/reads", &cookie);
    assert_eq!(own.status, 503, "nobody records here");
}

#[test]
fn passwords_are_guessed_slowly_and_answered_alike() {
    let site = Site::new();
    let wrong = site.try_login(&site.acme.username, "x");
    let unknown = site.try_login("nobody", "x");
    assert_eq!((wrong.status, unknown.status), (401, 401));
    assert!(wrong.text.contains("User name or password is wrong."));
    assert!(unknown.text.contains("User name or password is wrong."));
    for _ in 0..3 {
        assert_eq!(site.try_login("%3Cscript%3E", "x").status, 401);
    }
    let late = site.try_login(&site.acme.username, &site.acme.password);
    assert_eq!(late.status, 429);
    assert!(late.headers.contains_key(header::RETRY_AFTER));
    assert!(
        !site
            .try_login("%3Cscript%3E", "x")
            .text
            .contains("<script>a")
    );
}

#[test]
fn a_form_of_a_stranger_does_nothing() {
    let site = Site::new();
    let cookie = site.login(&site.acme);
    let token = site.get("/flush", &cookie).token();
    let other = site.login(&site.globex);
    for body in ["", "form_token=", "form_token=0"] {
        assert_eq!(site.post("/flush", &cookie, body).status, 403, "{body:?}");
    }
    let body = format!("form_token={token}");
    assert_eq!(site.post("/flush", &other, &body).status, 403);
    for foreign in [
        ("origin", "https://evil.example"),
        ("origin", "null"),
        ("sec-fetch-site", "cross-site"),
    ] {
        let headers = [("cookie", cookie.as_str()), foreign];
        let answer = site.send(Method::POST, "/flush", &headers, &body);
        assert_eq!(answer.status, 403, "{foreign:?}");
    }
    // Nor does a login with somebody else's form.
    let fields = format!(
        "username={}&password={}",
        site.acme.username, site.acme.password
    );
    let answer = site.post("/login", "", &format!("{fields}&form_token={token}"));
    assert_eq!(answer.status, 403);
}

#[test]
fn a_flush_is_done_after_a_question_and_on_record() {
    let site = Site::new();
    let cookie = site.login(&site.acme);
    assert_eq!(site.confirm("/flush", &cookie, "").status, 303);
    let entries = site.parts.audit.last(10).unwrap();
    assert_eq!(entries.len(), 1);
    assert_eq!(
        (entries[0].who.as_str(), entries[0].action.as_str()),
        (site.acme.username.as_str(), "flush")
    );
    assert_eq!(entries[0].from, "192.0.2.9");
}

#[test]
fn a_credential_is_replaced_and_the_old_one_revoked() {
    let site = Site::new();
    let cookie = site.login(&site.acme);
    let alone = site.get(
        &format!("/credentials/{}/revoke", site.acme.username),
        &cookie,
    );
    assert_eq!(alone.status, 409, "the only one stays");
    let made = site.confirm("/credential", &cookie, "");
    assert_eq!(made.status, 200);
    let word = |name: &str| {
        let from = made.text.find(name).unwrap() + name.len();
        let rest = &made.text[from..];
        rest[..rest.find(['\n', '<']).unwrap()].to_owned()
    };
    let new = Grant {
        username: word("MEMCACHE_USERNAME="),
        password: word("MEMCACHE_PASSWORD="),
        ..site.acme.clone()
    };
    let credentials = site.parts.control.credentials("acme").unwrap();
    assert_eq!(credentials.len(), 2);
    let made = credentials.iter().find(|one| one.username == new.username);
    assert!(made.unwrap().primary);
    let later = site.login(&new);
    let path = format!("/credentials/{}/revoke", site.acme.username);
    assert_eq!(site.confirm(&path, &later, "").status, 303);
    // Whoever was logged in with it is logged out at once.
    assert_eq!(site.get("/", &cookie).status, 303);
    assert_eq!(site.get("/", &later).status, 200);
    assert_eq!(
        site.try_login(&site.acme.username, &site.acme.password)
            .status,
        401
    );
    // Another tenant's is none that there is.
    let strange = format!("/credentials/{}/revoke", site.globex.username);
    assert!([404, 409].contains(&site.get(&strange, &later).status));
    let log = std::fs::read_to_string(site._dir.path().join("audit.jsonl")).unwrap();
    assert!(!log.contains(&new.password), "no secret is on record");
}

#[test]
fn a_credential_does_no_more_here_than_elsewhere() {
    let site = Site::new();
    let reader = site.parts.control.add_credential(
        "acme",
        &CredentialRequest {
            rights: Some("read".into()),
            primary: false,
        },
    );
    let reader = reader.unwrap();
    let cookie = site.login(&reader);
    let page = site.get("/", &cookie).text;
    assert!(!page.contains("href=\"/flush\""));
    for path in ["/flush", "/alerts"] {
        assert_eq!(site.get(path, &cookie).status, 403, "{path}");
        let body = format!("form_token={}", site.get("/credential", &cookie).token());
        assert_eq!(site.post(path, &cookie, &body).status, 403, "{path}");
    }
    let other = format!("/credentials/{}/revoke", site.acme.username);
    assert_eq!(site.get(&other, &cookie).status, 403);
    // It makes one like itself, and none that may do more.
    assert_eq!(site.confirm("/credential", &cookie, "").status, 200);
    let credentials = site.parts.control.credentials("acme").unwrap();
    assert_eq!(credentials.last().unwrap().rights, "read");
    assert!(!credentials.last().unwrap().primary);
    let blind = CredentialRequest {
        rights: Some("write".into()),
        primary: false,
    };
    let blind = site.parts.control.add_credential("acme", &blind).unwrap();
    let page = site.get("/", &site.login(&blind)).text;
    assert!(page.contains("is not told which keys there are"));
}

#[test]
fn alerts_are_kept_and_their_secret_is_shown_once() {
    let site = Site::new();
    let cookie = site.login(&site.acme);
    let wrong = site.confirm("/alerts", &cookie, "&hit_ratio=%3Cb%3E");
    assert_eq!(wrong.status, 422);
    assert!(!wrong.text.contains("<b>"));
    let fields = "&hit_ratio=80&memory=&webhook=https%3A%2F%2Fhooks.example%2Fx";
    let kept = site.confirm("/alerts", &cookie, fields);
    let id = site
        .parts
        .plane
        .directory()
        .tenant_named("acme")
        .unwrap()
        .id;
    let rule = site.parts.alerts.of(id);
    assert_eq!(rule.hit_ratio_min_percent, Some(80));
    let secret = rule.webhook.unwrap().secret;
    assert!(kept.text.contains(&secret));
    assert!(!site.get("/alerts", &cookie).text.contains(&secret));
    assert_eq!(site.confirm("/alerts", &cookie, fields).status, 303);
    let log = std::fs::read_to_string(site._dir.path().join("audit.jsonl")).unwrap();
    assert!(!log.contains(&secret));
}

#[test]
fn followers_are_bounded_each_tenant_by_itself() {
    let site = Site::new();
    let web = Arc::new(Web::new(site.parts.clone(), false).unwrap());
    let places: Vec<Option<Place>> = (0..FOLLOWERS_OF_ONE + 2)
        .map(|_| web.follow(TenantId(1)))
        .collect();
    assert_eq!(places.iter().flatten().count(), FOLLOWERS_OF_ONE as usize);
    assert!(web.follow(TenantId(2)).is_some());
    drop(places);
    assert!(web.follow(TenantId(1)).is_some());
    assert!(web.followers.lock().unwrap().is_empty());
}

#[test]
fn bodies_are_bounded() {
    let site = Site::new();
    let body = format!("username={}", "x".repeat(BODY_LEN_MAX));
    assert_eq!(site.post("/login", "", &body).status, 413);
}
