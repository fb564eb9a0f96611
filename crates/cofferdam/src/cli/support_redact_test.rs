//! Planted secrets do not come out, and what is none stays readable.

use super::*;

const OWN: &str = "k7m2pq9xw3ztb8nyc5dfgh4jra";

fn redact(text: &str) -> String {
    Redactor::new(["the-known-token-of-this-place".to_owned()]).redact(text)
}

#[test]
fn planted_secrets_are_gone() {
    let hidden = "hunter2hunter2";
    for text in [
        format!("password={hidden}"),
        format!("PASSWORD: {hidden}, next"),
        format!("{{\"smtp_password\":\"{hidden}\",\"x\":1}}"),
        format!("\"{{\\\"token\\\":\\\"{hidden}\\\"}}\""),
        format!("secret = '{hidden}'"),
        format!("secret_key=\"{hidden}\""),
        format!("Authorization: Bearer {hidden}"),
        format!("authorization=Basic {hidden}"),
        format!("MEMCACHE_PASSWORD={hidden}"),
        format!("https://hooks.example/x?token={hidden}&y=1"),
        format!("https://user:{hidden}@hooks.example/x"),
        format!("password={hidden} secret={hidden}"),
        format!("-----BEGIN PRIVATE KEY-----\n{hidden}\n-----END PRIVATE KEY-----\n"),
        format!("-----BEGIN EC PRIVATE KEY-----\n{hidden}"),
        "it was the-known-token-of-this-place, then".to_owned(),
    ] {
        let out = redact(&text);
        assert!(out.contains(REDACTED), "{text} → {out}");
        assert!(
            !out.contains(hidden) && !out.contains("the-known-token"),
            "{text} → {out}"
        );
    }
}

#[test]
fn what_we_make_is_known_by_its_looks() {
    for text in [
        OWN.to_owned(),
        format!("user acme {OWN}\r\n"),
        format!("\"{OWN}\""),
        format!("a/{OWN}?b"),
    ] {
        assert!(!redact(&text).contains(OWN), "{text}");
    }
}

#[test]
fn what_is_no_secret_stays() {
    for text in [
        "the token stands in admin.token of the data directory\n",
        "{\"event\":\"logins_failing\",\"sentence\":\"Clients present wrong passwords.\"}\n",
        "certificate = \"/etc/cofferdam/server.pem\"\nkey = \"/etc/cofferdam/server.key\"\n",
        "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n",
        "http://127.0.0.1:8311/metrics with a@b\n",
        "cofferdam_tenant_logins_total{tenant=\"acme\",result=\"refused\"} 3\n",
        "a name of twenty-six letters: abcdefghijklmnopqrstuvwxyz\n",
        "",
    ] {
        assert_eq!(redact(text), text);
    }
}

#[test]
fn any_text_comes_through_without_a_panic() {
    for text in [
        "token",
        "token=",
        "token=\"",
        "password:ä",
        "://",
        "://@",
        "ßtoken=ß",
        "-----BEGIN ",
        "\u{0}token=\u{0}",
    ] {
        redact(text);
    }
    let mut rng = base::rng::Rng::new(3);
    let pieces = [
        "token",
        "=",
        "\"",
        " ",
        "ä",
        "://",
        "@",
        "-----BEGIN PRIVATE KEY",
        "-----END ",
        "\n",
        "x",
    ];
    for _ in 0..3000 {
        let count = rng.below(12);
        let text: String = (0..count)
            .map(|_| pieces[rng.below(pieces.len() as u64) as usize])
            .collect();
        redact(&text);
    }
}

#[test]
fn short_words_are_not_taken_for_known_secrets() {
    assert_eq!(
        Redactor::new(["a".to_owned()]).redact("a banana"),
        "a banana"
    );
}
