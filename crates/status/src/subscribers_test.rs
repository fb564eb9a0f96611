//! Nobody is told before he has confirmed, nor anything twice, nor what is not public.

use super::*;
use crate::incident::{Impact, Origin, Update, Visibility};

const START: Timestamp = Timestamp::from_secs(1_800_000_000);

fn at(seconds: u64) -> Timestamp {
    START + Duration::from_secs(seconds)
}

fn mail(address: &str) -> Destination {
    Destination::Mail(address.into())
}

fn asked(all: &mut Subscribers, seconds: u64, to: Destination) -> u64 {
    let token = format!("token-{seconds}");
    assert_eq!(all.ask(at(seconds), to, token, "secret".into()), Ok(true));
    all.all().last().unwrap().id
}

fn incident(id: u64, published: Option<u64>, updates: &[(u64, Phase)]) -> Incident {
    let update = |(seconds, phase): &(u64, Phase)| Update {
        at: at(*seconds),
        phase: *phase,
        text: format!("{id} at {seconds}"),
    };
    Incident {
        id,
        title: format!("Incident {id}"),
        origin: Origin::Operator,
        impact: Impact::Minor,
        confidence_percent: 100,
        phase: Phase::Investigating,
        visibility: match published {
            Some(_) => Visibility::Published,
            None => Visibility::Held,
        },
        components: Vec::new(),
        causes: Vec::new(),
        began: at(updates[0].0),
        drafted: at(updates[0].0),
        published: published.map(at),
        recovered: None,
        resolved: None,
        updates: updates.iter().map(update).collect(),
    }
}

/// All that one is told of these.
fn all_told(all: &mut Subscribers, id: u64, incidents: &[Incident]) -> Vec<String> {
    let mut texts = Vec::new();
    while let Some(notice) = all.get(id).and_then(|one| one.next(incidents)) {
        all.told(id, &notice);
        texts.push(notice.text);
        assert!(texts.len() < 100, "the same again and again: {texts:?}");
    }
    texts
}

#[test]
fn only_who_has_confirmed_is_told_and_only_what_came_after() {
    let mut all = Subscribers::new(Vec::new());
    let id = asked(&mut all, 0, mail("ann@mail.example"));
    let incidents = [
        incident(
            1,
            Some(5),
            &[(5, Phase::Investigating), (20, Phase::Resolved)],
        ),
        incident(2, None, &[(15, Phase::Investigating)]),
    ];
    assert_eq!(all_told(&mut all, id, &incidents), [""; 0]);
    all.confirm(at(10), id);
    assert_eq!(all_told(&mut all, id, &incidents), ["1 at 20"]);
    // One that is published later is told then, and its last word alone.
    let held = [
        incidents[0].clone(),
        incident(
            2,
            Some(30),
            &[(15, Phase::Investigating), (16, Phase::Identified)],
        ),
    ];
    assert_eq!(all_told(&mut all, id, &held), ["2 at 16"]);
    all.leave(id);
    assert!(all.get(id).is_none());
}

#[test]
fn nothing_is_lost_or_told_twice_over_a_restart() {
    let mut all = Subscribers::new(Vec::new());
    let id = asked(&mut all, 0, mail("ann@mail.example"));
    all.confirm(at(1), id);
    let incidents = [
        incident(
            1,
            Some(5),
            &[
                (5, Phase::Investigating),
                (9, Phase::Monitoring),
                (20, Phase::Resolved),
            ],
        ),
        incident(2, Some(9), &[(9, Phase::Investigating)]),
    ];
    let first = all.get(id).unwrap().next(&incidents).unwrap();
    assert_eq!(first.text, "1 at 5");
    all.told(id, &first);
    let mut kept = None;
    while let Some(change) = all.poll_change() {
        if let Change::Kept(one) = change {
            let text = serde_json::to_string(&one).unwrap();
            kept = Some(serde_json::from_str(&text).unwrap());
        }
    }
    let mut again = Subscribers::new(kept.into_iter().collect());
    assert_eq!(
        all_told(&mut again, id, &incidents),
        ["1 at 9", "2 at 9", "1 at 20"]
    );
    assert_eq!(asked(&mut again, 40, mail("bob@mail.example")), id + 1);
}

#[test]
fn who_is_known_is_not_written_to_again_and_who_does_not_confirm_is_forgotten() {
    let mut all = Subscribers::new(Vec::new());
    let id = asked(&mut all, 0, mail("ann@mail.example"));
    let again = |all: &mut Subscribers, seconds| {
        all.ask(
            at(seconds),
            mail("ann@mail.example"),
            "t".into(),
            String::new(),
        )
    };
    assert_eq!(again(&mut all, 60), Ok(false));
    assert_eq!(again(&mut all, 86_400), Ok(true));
    assert!(all.get(id).is_none());
    let second = all.all().next().unwrap().id;
    all.confirm(at(86_500), second);
    all.expire(at(900_000));
    assert_eq!(all.all().count(), 1);
}

#[test]
fn there_is_an_end_to_those_who_have_not_confirmed() {
    let mut all = Subscribers::new(Vec::new());
    for count in 0..PENDING_MAX as u64 {
        asked(&mut all, 1, mail(&format!("a{count}@mail.example")));
    }
    let more = all.ask(at(2), mail("z@mail.example"), String::new(), String::new());
    assert_eq!(more, Err(Refused::Full));
}

#[test]
fn tokens_name_one() {
    let mut all = Subscribers::new(Vec::new());
    let id = asked(&mut all, 0, mail("ann@mail.example"));
    asked(&mut all, 1, mail("bob@mail.example"));
    assert_eq!(all.by_token(|own| own == "token-0").unwrap().id, id);
    assert!(all.by_token(|own| own == "token").is_none());
}

#[test]
fn what_is_an_address_and_what_is_none() {
    for good in [
        "a@b.example",
        "first.last+tag@sub.mail.example",
        "o'neil@x.example",
    ] {
        assert!(is_mail_address(good), "{good}");
    }
    let long = format!("{}@x.example", "a".repeat(65));
    for bad in [
        "",
        "a",
        "@",
        "a@",
        "@b.example",
        "a@b",
        "a@b..example",
        "a@.example",
        "a b@c.example",
        "a@b.example\r\nBcc: c@d.example",
        "a@b.example,c@d.example",
        "<a@b.example>",
        "a@@b.example",
        "\"a\"@b.example",
        "a@[127.0.0.1]",
        &long,
    ] {
        assert!(!is_mail_address(bad), "{bad}");
    }
}
