//! Tests of `plan_text`: what people write, and that a bad word is named.

use super::*;

#[test]
fn targets_are_read_by_their_form() {
    let tcp = |text: &str| Target::Tcp(text.into());
    assert_eq!("localhost:11211".parse(), Ok(tcp("localhost:11211")));
    assert_eq!("[::1]:11211".parse(), Ok(tcp("[::1]:11211")));
    assert_eq!("unix:a/b".parse(), Ok(Target::Unix("a/b".into())));
    assert_eq!(
        "/run/c.sock".parse(),
        Ok(Target::Unix("/run/c.sock".into()))
    );
    for bad in ["", "host", "host:", "host:0", "host:99999"] {
        assert!(bad.parse::<Target>().is_err(), "{bad:?}");
    }
    assert_eq!(tcp("a:1").to_string(), "a:1");
    assert_eq!(Target::Unix("/s".into()).to_string(), "unix:/s");
}

#[test]
fn a_login_keeps_colons_of_its_password_and_never_shows_it() {
    let login: Login = "me:pass:word".parse().unwrap();
    assert_eq!(login.username, "me");
    assert_eq!(login.password, "pass:word");
    assert_eq!(format!("{login:?}"), "Login(\"me\")");
    assert!("nobody".parse::<Login>().is_err());
    assert!(":x".parse::<Login>().is_err());
}

#[test]
fn a_mix_is_what_it_says_and_nothing_else() {
    let mix: Mix = "get=70, set=10,mget=5/20,delete=3,touch".parse().unwrap();
    let wanted = Mix {
        get: 70,
        set: 10,
        mget: 5,
        delete: 3,
        touch: 1,
        mget_keys: 20,
    };
    assert_eq!(mix, wanted);
    let only: Mix = "mget".parse().unwrap();
    assert_eq!(
        (only.get, only.set, only.mget, only.mget_keys),
        (0, 0, 1, 50)
    );
    assert!("gut=1".parse::<Mix>().unwrap_err().contains("\"gut\""));
    assert!("get=x".parse::<Mix>().unwrap_err().contains("get=x"));
}

#[test]
fn distributions_and_lengths_read_back() {
    assert_eq!("uniform".parse(), Ok(Distribution::Uniform));
    assert_eq!("sequential".parse(), Ok(Distribution::Sequential));
    assert_eq!("zipf".parse(), Ok(Distribution::Zipf(0.99)));
    assert_eq!("zipf:1.2".parse(), Ok(Distribution::Zipf(1.2)));
    assert!("zipf:much".parse::<Distribution>().is_err());
    assert_eq!("10KiB".parse(), Ok(ValueLen::Fixed(10240)));
    assert_eq!("64..4KiB".parse(), Ok(ValueLen::Uniform(64, 4096)));
    assert_eq!("1,2,30".parse(), Ok(ValueLen::List(vec![1, 2, 30])));
    assert!("8GiB".parse::<ValueLen>().is_err());
}

#[test]
fn small_words_read_back_and_wrong_ones_list_the_right_ones() {
    for protocol in [Protocol::Text, Protocol::Meta, Protocol::Binary] {
        assert_eq!(protocol.to_string().parse(), Ok(protocol));
    }
    assert_eq!("key".parse(), Ok(AuthDialect::KeyIsUser));
    assert_eq!("fixed".parse(), Ok(Arrivals::Fixed));
    assert!("udp".parse::<Protocol>().unwrap_err().contains("meta"));
    assert!("none".parse::<AuthDialect>().unwrap_err().contains("sasl"));
    assert!("even".parse::<Arrivals>().unwrap_err().contains("poisson"));
}
