//! What a letter looks like, and which configurations there are.

use super::*;

fn mailer() -> Mailer {
    let text = "[status]\nurl = \"https://status.example\"\nmail_server = \"127.0.0.1:25\"\n\
                mail_tls = \"off\"\nmail_from = \"Status <status@example.org>\"\n";
    let config = Config::parse(text).unwrap();
    Mailer::of(&config).unwrap().expect("mail is configured")
}

fn letter(leave: Option<&str>) -> Letter {
    Letter {
        to: "ann@mail.example".into(),
        subject: "[Cofferdam] Investigating: größere Störung".into(),
        text: "Some clients are not served.\n\nhttps://status.example/incidents/1\n".into(),
        leave: leave.map(str::to_owned),
    }
}

#[test]
fn a_letter_can_be_left_with_one_click() {
    let message = mailer().message(&letter(Some(
        "https://status.example/unsubscribe?token=abc",
    )));
    let text = String::from_utf8(message.unwrap().formatted()).unwrap();
    for line in [
        "From: Status <status@example.org>",
        "To: ann@mail.example",
        "List-Unsubscribe: <https://status.example/unsubscribe?token=abc>",
        "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
        "Auto-Submitted: auto-generated",
    ] {
        assert!(text.contains(&format!("{line}\r\n")), "{line} in {text}");
    }
    assert!(text.is_ascii(), "what is not is encoded");
    let plain = mailer().message(&letter(None)).unwrap().formatted();
    assert!(
        !String::from_utf8(plain)
            .unwrap()
            .contains("List-Unsubscribe")
    );
}

#[test]
fn nobody_gets_a_header_in_by_an_address_or_a_title() {
    let bad = Letter {
        to: "ann@mail.example\r\nBcc: bob@mail.example".into(),
        ..letter(None)
    };
    assert!(mailer().message(&bad).is_err());
    let bad = Letter {
        subject: "x\r\nBcc: bob@mail.example".into(),
        ..letter(None)
    };
    let text = mailer().message(&bad).map(|message| message.formatted());
    let text = String::from_utf8(text.unwrap_or_default()).unwrap();
    assert!(!text.contains("\r\nBcc:"), "{text}");
}

#[test]
fn no_mail_without_a_server() {
    assert!(Mailer::of(&Config::default()).unwrap().is_none());
    assert!(!format!("{:?}", mailer()).contains("password"));
}
