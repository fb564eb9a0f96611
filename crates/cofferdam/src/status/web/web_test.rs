//! The whole router without a socket: who sees what, and whose forms are done.

use axum::body::{Body, to_bytes};
use axum::extract::Request;
use axum::http::{HeaderMap, Method};
use runtime::http::Peer;
use tower::ServiceExt;

use super::*;
use crate::status::hub::Past;
use crate::status::testing::{hub, outage, settings};

const TOKEN: &str = "operators-token-of-this-test";

struct Site {
    router: Router,
    hub: Arc<Hub>,
    runtime: tokio::runtime::Runtime,
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

    fn csrf(&self) -> String {
        let at = self.text.find("name=\"csrf\" value=\"").expect("a form") + 19;
        self.text[at..at + 64].to_owned()
    }
}

impl Site {
    fn new() -> Self {
        let hub = hub(Past::default());
        let router = router(&hub, &settings(), TOKEN.to_owned()).unwrap();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build();
        Self {
            router,
            hub,
            runtime: runtime.unwrap(),
        }
    }

    fn send(&self, method: Method, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        request = request.header("host", "localhost");
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let kind = "application/x-www-form-urlencoded";
        let request = request.header("content-type", kind);
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
        let headers = [
            ("cookie", cookie),
            ("origin", "http://localhost"),
            ("sec-fetch-site", "same-origin"),
        ];
        self.send(Method::POST, path, &headers, body)
    }

    /// Logs in with a form; the cookie that is logged in, or the answer.
    fn log_in(&self, path: &str, to: &str, fields: &str) -> Result<String, Box<Answer>> {
        let form = self.get(path, "");
        let cookie = form.cookie().expect("a cookie for the form");
        let answer = self.post(to, &cookie, &format!("{fields}&csrf={}", form.csrf()));
        match (answer.status, answer.cookie()) {
            (303, Some(cookie)) => Ok(cookie),
            _ => Err(Box::new(answer)),
        }
    }

    fn operator(&self) -> String {
        let fields = format!("token={TOKEN}");
        self.log_in("/operator", "/operator/login", &fields)
            .ok()
            .expect("logged in")
    }
}

#[test]
fn every_page_is_there_and_nobody_keeps_it_long() {
    let site = Site::new();
    outage(&site.hub, site.hub.now());
    for path in [
        "/",
        "/history",
        "/incidents/1",
        "/components/g1.new",
        "/history.atom",
        "/history.rss",
        "/badge.svg",
        "/status.css",
        "/status.js",
        "/icon.svg",
        "/livez",
        "/api/v2/summary.json",
        "/api/v2/status.json",
        "/api/v2/components.json",
        "/api/v2/incidents.json",
        "/api/v2/incidents/unresolved.json",
        "/api/v2/scheduled-maintenances.json",
        "/api/v2/scheduled-maintenances/upcoming.json",
        "/api/v2/scheduled-maintenances/active.json",
        "/login",
        "/operator",
    ] {
        let answer = site.get(path, "");
        assert_eq!(answer.status, 200, "{path}");
        let cache = answer.headers[header::CACHE_CONTROL].to_str().unwrap();
        assert!(
            ["public, max-age=5", "no-store"].contains(&cache),
            "{path}: {cache}"
        );
        assert!(
            answer.headers.contains_key(header::CONTENT_SECURITY_POLICY),
            "{path}"
        );
    }
    for path in [
        "/nothing",
        "/incidents/99",
        "/incidents/x",
        "/components/%3Cscript%3E",
    ] {
        let answer = site.get(path, "");
        assert_eq!(answer.status, 404, "{path}");
        assert!(!answer.text.contains("<script>"), "{path}");
    }
}

#[test]
fn figures_are_for_whoever_has_the_token() {
    let site = Site::new();
    outage(&site.hub, site.hub.now());
    let ask = |token: &str| {
        let bearer = format!("Bearer {token}");
        site.send(Method::GET, "/metrics", &[("authorization", &bearer)], "")
    };
    assert_eq!(site.get("/metrics", "").status, 401);
    assert_eq!(ask("wrong").status, 401);
    // More often than anybody may guess.
    let answers: Vec<Answer> = (0..20).map(|_| ask(TOKEN)).collect();
    for answer in &answers {
        assert_eq!(answer.status, 200);
        assert_eq!(
            answer.headers[header::CONTENT_TYPE],
            "text/plain; version=0.0.4; charset=utf-8"
        );
    }
    let page = &answers[0].text;
    for line in [
        "cofferdam_status_component{component=\"g1.new\",level=\"outage\"} 1\n",
        "cofferdam_status_component{component=\"g1.new\",level=\"operational\"} 0\n",
        "cofferdam_status_incidents{visibility=\"published\"} 1\n",
        "cofferdam_status_hears_events 0\n",
        "process_open_fds ",
    ] {
        assert!(page.contains(line), "{line}: {page}");
    }
}

#[test]
fn a_tenant_logs_in_and_out() {
    let site = Site::new();
    assert_eq!(site.get("/me", "").headers[header::LOCATION], "/login");
    let cookie = site.log_in("/login", "/login", "username=acme&password=right");
    let cookie = cookie.ok().expect("logged in");
    let me = site.get("/me", &cookie);
    assert_eq!(me.status, 200);
    assert!(me.text.contains("acme: did it touch you?"));
    assert_eq!(me.headers[header::CACHE_CONTROL], "no-store");
    // A tenant is no operator.
    assert!(
        site.get("/operator", &cookie)
            .text
            .contains("type=\"password\"")
    );
    let out = site.post("/logout", &cookie, &format!("csrf={}", me.csrf()));
    assert_eq!(out.status, 303);
    assert_eq!(site.get("/me", &cookie).status, 303);
}

#[test]
fn wrong_passwords_are_refused_alike_and_not_for_long() {
    let site = Site::new();
    let refused = |fields: &str| site.log_in("/login", "/login", fields).unwrap_err();
    let (wrong, unknown) = (
        refused("username=acme&password=x"),
        refused("username=zz&password=x"),
    );
    assert_eq!((wrong.status, unknown.status), (403, 403));
    assert!(wrong.text.contains("User name or password is wrong.") && !wrong.text.contains("zz"));
    assert_eq!(refused("username=down&password=x").status, 503);
    (0..3).for_each(|_| drop(refused("username=acme&password=x")));
    assert_eq!(refused("username=acme&password=right").status, 429);
    // The brake is the operators' too.
    let answer = site.log_in("/operator", "/operator/login", &format!("token={TOKEN}"));
    assert_eq!(answer.unwrap_err().status, 429);
}

#[test]
fn a_form_of_a_stranger_does_nothing() {
    let site = Site::new();
    outage(&site.hub, site.hub.now());
    let cookie = site.operator();
    let csrf = site.get("/operator", &cookie).csrf();
    let body = format!("do=discard&csrf={csrf}");
    let path = "/operator/incidents/1";
    let send = |headers: &[(&str, &str)], body: &str| {
        let mut all = vec![("cookie", cookie.as_str())];
        all.extend(headers);
        site.send(Method::POST, path, &all, body).status
    };
    assert_eq!(send(&[], "do=discard&csrf="), 403);
    assert_eq!(
        send(&[], &format!("do=discard&csrf={}", "0".repeat(64))),
        403
    );
    assert_eq!(send(&[("origin", "https://evil.example")], &body), 403);
    assert_eq!(send(&[("origin", "null")], &body), 403);
    assert_eq!(send(&[("sec-fetch-site", "cross-site")], &body), 403);
    // Another's signature is none of mine, and without a login there is nothing to sign.
    let other = site.operator();
    let answer = site.post(path, &other, &body);
    assert_eq!(answer.status, 403);
    assert_eq!(site.post(path, "", &body).status, 303);
    assert!(site.hub.board().incident(1).unwrap().is_public());
    assert_eq!(site.post(path, &cookie, &body).status, 200);
    assert!(!site.hub.board().incident(1).unwrap().is_public());
}

#[test]
fn an_operator_writes_and_announces_and_names_nobody() {
    let site = Site::new();
    let cookie = site.operator();
    let csrf = site.get("/operator", &cookie).csrf();
    let post = |path: &str, fields: &str| {
        let answer = site.post(path, &cookie, &format!("{fields}&csrf={csrf}"));
        answer.status
    };
    let named = "title=Slow&impact=minor&text=Node+10.0.0.7+is+slow";
    assert_eq!(post("/operator/incidents", named), 422);
    let good = "title=%3Cb%3ESlow%3C/b%3E&impact=minor&text=We+look+into+it";
    assert_eq!(post("/operator/incidents", good), 200);
    let page = site.get("/", "").text;
    assert!(
        page.contains("We look into it") && !page.contains("<b>Slow"),
        "{page}"
    );
    assert_eq!(
        post(
            "/operator/incidents/1",
            "do=update&phase=resolved&text=It+is+over"
        ),
        200
    );
    assert_eq!(
        post(
            "/operator/incidents/1",
            "do=update&phase=resolved&text=Again"
        ),
        422
    );
    let window = "title=Disks&text=None&begins=2126-01-01T00:00&ends=2126-01-01T01:00";
    assert_eq!(post("/operator/maintenance", window), 200);
    let backwards = "title=Disks&text=None&begins=2126-01-01T02:00&ends=2126-01-01T01:00";
    assert_eq!(post("/operator/maintenance", backwards), 422);
    assert!(site.get("/", "").text.contains("Disks"));
    assert_eq!(post("/operator/maintenance/1", "x=1"), 200);
    assert!(!site.get("/", "").text.contains("Disks"));
}

#[test]
fn bodies_are_bounded() {
    let site = Site::new();
    let body = format!("username={}", "x".repeat(BODY_LEN_MAX));
    assert_eq!(site.post("/login", "", &body).status, 413);
}

#[test]
fn whoever_subscribes_by_mail_confirms_and_leaves_with_one_click() {
    let site = Site::new();
    let form = site.get("/subscribe", "");
    let cookie = form.cookie().unwrap();
    let ask = |to: &str| {
        let body = format!("way=mail&to={to}&csrf={}", form.csrf());
        site.post("/subscribe", &cookie, &body)
    };
    assert_eq!(ask("nobody").status, 422);
    let first = ask("ann%40mail.example");
    assert_eq!(first.status, 200);
    // Whoever asks again learns nothing, and nobody is written to twice.
    let again = ask("ann%40mail.example");
    assert_eq!((again.status, again.text.len()), (200, first.text.len()));
    let one = site.hub.subscribers().all().next().unwrap().clone();
    assert!(!one.is_confirmed && site.hub.subscribers().all().count() == 1);
    for text in [&form.text, &first.text] {
        assert!(!text.contains(&one.token));
    }
    // A program that looks at links confirms nothing.
    let link = format!("/subscribe/confirm?token={}", one.token);
    assert_eq!(site.get(&link, "").status, 200);
    assert!(!site.hub.subscribers().get(one.id).unwrap().is_confirmed);
    let token = format!("token={}", one.token);
    assert_eq!(site.post("/subscribe/confirm", "", &token).status, 200);
    assert!(site.hub.subscribers().get(one.id).unwrap().is_confirmed);
    let leave = format!("/unsubscribe?token={}", one.token);
    assert_eq!(site.get(&leave, "").status, 200);
    let click = site.send(Method::POST, &leave, &[], "List-Unsubscribe=One-Click");
    assert_eq!(click.status, 200);
    assert_eq!(site.hub.subscribers().all().count(), 0);
    assert_eq!(site.get(&leave, "").status, 404);
    assert_eq!(site.post("/subscribe/confirm", "", "token=").status, 404);
}

#[test]
fn webhooks_are_public_and_their_secret_is_shown_once() {
    let site = Site::new();
    let form = site.get("/subscribe", "");
    let cookie = form.cookie().unwrap();
    let ask = |to: &str| {
        let body = format!("way=webhook&to={to}&csrf={}", form.csrf());
        site.post("/subscribe", &cookie, &body)
    };
    for bad in [
        "http://hooks.example/",
        "https://127.0.0.1/",
        "https://169.254.169.254/",
        "x",
    ] {
        assert_eq!(ask(bad).status, 422, "{bad}");
    }
    let shown = ask("https://hooks.example/x");
    let one = site.hub.subscribers().all().next().unwrap().clone();
    assert!(shown.text.contains(&one.secret) && shown.text.contains(&one.token));
    assert_eq!(ask("https://hooks.example/x").status, 409);
    // A stranger's form does nothing, and nobody asks without end.
    let body = "way=webhook&to=https%3A%2F%2Fother.example%2F&csrf=0";
    assert_eq!(site.post("/subscribe", &cookie, body).status, 403);
    let late: Vec<u16> = (0..6)
        .map(|count| ask(&format!("https://hooks.example/{count}")).status)
        .collect();
    assert_eq!(late[4..], [429, 429], "{late:?}");
}
