//! What a configuration makes of a page.

use super::*;

fn config(text: &str) -> Config {
    Config::parse(text).unwrap()
}

fn nobody() -> Arc<Doorman> {
    Arc::new(|_, _| Ok(None))
}

#[test]
fn what_is_not_said_follows_from_what_is() {
    let text = "[status]\nurl = \"https://status.example:8443/\"\nhosts = [\"other.example\"]\nevery = \"20s\"\npublish = \"held\"\n";
    let settings = Settings::of(&config(text), Vec::new(), nobody()).unwrap();
    assert_eq!(settings.url, "https://status.example:8443");
    assert_eq!(settings.hosts, ["other.example", "status.example"]);
    assert!(!settings.bar.is_automatic);
    // Who looks every twenty seconds must not call himself blind after eight.
    assert!(settings.standard.stale > 3 * settings.every);
    let unsaid = Settings::of(&config(""), Vec::new(), nobody()).unwrap();
    assert_eq!(unsaid.standard.stale, Standard::default().stale);
    assert!(unsaid.hosts.is_empty() && unsaid.ask_events().is_none());
}

#[test]
fn gateways_have_their_passwords_read() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("password");
    let gateway = |more: &str| {
        let text = format!(
            "[[status.gateways]]\nname = \"Zone 1\"\naddress = \"cache.example:11212\"\nusername = \"canary\"\npassword_file = {:?}\n{more}",
            file.display().to_string()
        );
        gateways(&config(&text))
    };
    assert!(gateway("").unwrap_err().to_string().contains("Zone 1"));
    fs::write(&file, "secret\n").unwrap();
    let all = gateway("").unwrap();
    assert_eq!(
        (all[0].target.password.as_str(), all[0].target.tls.is_some()),
        ("secret", false)
    );
    assert!(gateway("tls = true\nca = \"/nonexistent\"\n").is_err());
}

#[test]
fn public_names_and_times_are_checked() {
    let load = |text: &str| {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("c.toml");
        fs::write(&file, text).unwrap();
        Config::load(Some(&file), &crate::config::Overrides::default())
    };
    let named = |name: &str| {
        load(&format!(
            "[[status.gateways]]\nname = \"{name}\"\naddress = \"a:1\"\nusername = \"u\"\npassword_file = \"/p\"\n"
        ))
    };
    assert!(named("Frankfurt").is_ok());
    assert!(
        named("cache-1.internal")
            .unwrap_err()
            .to_string()
            .contains("public name")
    );
    assert!(named("10.0.0.7").is_err());
    assert!(
        load("[status]\nevery = \"1ms\"\n")
            .unwrap_err()
            .to_string()
            .contains("status.every")
    );
}

#[test]
fn a_host_is_found_in_an_address() {
    for (url, host) in [
        ("https://a.example", Some("a.example")),
        ("https://a.example:1/b?c", Some("a.example")),
        ("a.example", None),
        ("", None),
    ] {
        assert_eq!(host_of(url), host, "{url}");
    }
}
