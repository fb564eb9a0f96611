//! Cookies, forms and logins of one set of pages.

use super::*;
use axum::response::IntoResponse;

const NAME: &str = "ours";

fn logins(is_secure: bool) -> Logins<&'static str> {
    let cookie = Cookie {
        name: NAME,
        path: "/p",
        is_secure,
    };
    Logins::new(cookie, Clock::new()).unwrap()
}

fn headers(cookie: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(header::COOKIE, HeaderValue::from_str(cookie).unwrap());
    headers
}

fn given(response: &Response) -> String {
    let cookie = &response.headers()[header::SET_COOKIE];
    cookie.to_str().unwrap().to_owned()
}

#[test]
fn only_a_name_of_our_kind_is_taken_from_a_cookie() {
    let id = "a".repeat(ID_LEN);
    let good = format!("x=1; {NAME}={id}; y=2");
    assert_eq!(cookie_of(&headers(&good), NAME), Some(id.as_str()));
    for bad in [
        String::new(),
        ";;=;ours;".to_owned(),
        format!("{NAME}="),
        format!("{NAME}={}", "a".repeat(ID_LEN + 1)),
        format!("{NAME}={}<", "a".repeat(ID_LEN - 1)),
        format!("other={id}"),
    ] {
        assert_eq!(cookie_of(&headers(&bad), NAME), None, "{bad}");
    }
}

#[test]
fn a_login_has_a_name_that_nobody_else_could_give() {
    let logins = logins(false);
    let planted = format!("{NAME}={}", "a".repeat(ID_LEN));
    let before = logins.visitor(&headers(&planted));
    assert_eq!(before.who, None);
    let visitor = logins.log_in("acme").unwrap();
    assert_ne!(visitor.id, before.id);
    let text = given(&logins.with_cookie(&visitor, "".into_response()));
    let expected = format!(
        "{NAME}={}; Path=/p; HttpOnly; SameSite=Strict; Max-Age=86400",
        visitor.id
    );
    assert_eq!(text, expected);
    let again = logins.visitor(&headers(text.split(';').next().unwrap()));
    assert_eq!((again.who, again.is_new), (Some("acme"), false));
    let answer = logins.with_cookie(&again, "".into_response());
    assert!(!answer.headers().contains_key(header::SET_COOKIE));
    logins.log_out(&again);
    assert_eq!(logins.visitor(&headers(&text)).who, None);
    let text = given(&logins.without_cookie("".into_response()));
    assert!(
        text.starts_with("ours=; ") && text.ends_with("Max-Age=0"),
        "{text}"
    );
}

#[test]
fn over_tls_the_cookie_stays_there() {
    let logins = logins(true);
    let visitor = logins.log_in("acme").unwrap();
    let text = given(&logins.with_cookie(&visitor, "".into_response()));
    assert!(text.ends_with("; Secure"), "{text}");
}

#[test]
fn forms_are_known_by_their_token() {
    let logins = logins(false);
    let id = |letter: &str| format!("{NAME}={}", letter.repeat(ID_LEN));
    let visitor = logins.visitor(&headers(&id("a")));
    let token = visitor.form_token.clone();
    let none = HeaderMap::new();
    assert!(logins.is_ours(&visitor, &none, &token));
    for wrong in ["", "0", &token[1..], &format!("{token}0")] {
        assert!(!logins.is_ours(&visitor, &none, wrong), "{wrong}");
    }
    let other = logins.visitor(&headers(&id("b")));
    assert!(!logins.is_ours(&other, &none, &token));
    // Nobody has seen a form who has no cookie.
    let new = logins.visitor(&none);
    assert!(!logins.is_ours(&new, &none, &new.form_token));
    let foreign = HeaderMap::from_iter([(
        header::ORIGIN,
        HeaderValue::from_static("https://evil.example"),
    )]);
    assert!(!logins.is_ours(&visitor, &foreign, &token));
    // The key is of this process alone.
    assert_ne!(
        self::logins(false).visitor(&headers(&id("a"))).form_token,
        token
    );
}
