//! The keys of what people look at, and of who is told: the tenants' console, webhooks, the status page.

use std::path::PathBuf;
use std::time::Duration;

use fleet::judge::Limits;
use serde::Deserialize;

use super::entries::{JudgeMode, MailTls, Publish, StatusGateway, WebhookEntry};
use super::keys::{Change, Key, Table, Unsaid, full_name};
use super::value::{Place, Span};

table! {
    /// How gateways judge the nodes of a fleet; see docs/judging.md.
    Judge "judge" {
        /// `"on"`; `"off"`, where only a node that is gone is taken out; or `"naive"`: whoever gives
        /// three replies above five times the usual median is out, which is there to be compared with.
        mode: JudgeMode = JudgeMode::On, Unsaid::Default("\"on\""), Restart, "--judge";
        /// A node is slow whose requests take so many times as long as its peers' …
        ratio: f64 = 3.0, Unsaid::Default("3.0"), Restart;
        /// … and so much longer.
        excess: Span = Span(Duration::from_micros(500)), Unsaid::Default("\"500us\""), Restart;
        /// So is one of whose requests this part more than of its peers' take several times as long as
        /// is usual, or are not answered.
        slow_share: f64 = 0.05, Unsaid::Default("0.05"), Restart;
    }
}

impl Judge {
    /// For observers.
    pub(crate) fn limits(&self) -> Limits {
        Limits {
            ratio: self.ratio,
            excess_s: self.excess.0.as_secs_f64(),
            slow_share: self.slow_share,
            ..Limits::default()
        }
    }

    /// What is wrong with them.
    pub(super) fn check(&self) -> Result<(), String> {
        if !(1.5..=100.0).contains(&self.ratio) {
            return Err(format!("judge.ratio is {}: choose 1.5 to 100", self.ratio));
        }
        if !(0.01..=0.9).contains(&self.slow_share) {
            let share = self.slow_share;
            return Err(format!("judge.slow_share is {share}: choose 0.01 to 0.9"));
        }
        match self.excess.0 {
            Duration::ZERO => Err("judge.excess is 0: 500us suits a fast network".into()),
            _ => Ok(()),
        }
    }
}

table! {
    /// The console of tenants.
    TenantConsole "tenant_console" {
        /// Names besides `localhost` and plain addresses under which it may be asked. Any other `Host`
        /// is refused.
        hosts: Vec<String> = Vec::new(), Unsaid::Default("[]"), Restart;
    }
}

table! {
    /// Who is told of events as they happen, by signed messages over https.
    Webhooks "webhooks" {
        /// Each with its `url` and a `secret_file`, 16 letters at least, that messages are signed with;
        /// `events` are the kinds that it is told of, all where there are none.
        targets: Vec<WebhookEntry> = Vec::new(), Unsaid::Nothing("[{ url = \"https://hooks.example/cofferdam\", secret_file = \"/etc/cofferdam/hook.secret\", events = [\"door_full\"] }]"), Restart;
        /// Whether messages, those that tenants and subscribers of the status page ask for among them,
        /// may go to addresses that are not public, and unencrypted. Only where you trust all of these.
        private_addresses: bool = false, Unsaid::Default("false"), Restart;
    }
}

table! {
    /// The status page, served by `up` and, apart from it, by `cofferdam status`.
    Status "status" {
        /// What the page is called.
        name: String = "Cofferdam status".to_owned(), Unsaid::Default("\"Cofferdam status\""), Restart;
        /// The address under which readers reach it, for links in feeds and messages.
        url: Option<String> = None, Unsaid::Nothing("\"https://status.example\""), Restart;
        /// Names under which it may be asked besides that of `url`, `localhost` and plain addresses.
        /// Any other `Host` is refused.
        hosts: Vec<String> = Vec::new(), Unsaid::Default("[]"), Restart;
        /// What is probed: each with the `name` that the public reads, the `address` of an
        /// authenticating listener, the `username` of a tenant that exists for this alone and a
        /// `password_file`; `tls = true`, and `ca` for an authority that the system does not trust.
        /// `up` probes itself where none is given.
        gateways: Vec<StatusGateway> = Vec::new(), Unsaid::Nothing("[{ name = \"Cache\", address = \"cache.example:11212\", username = \"canary\", password_file = \"/etc/cofferdam/canary\" }]"), Restart;
        /// The admin API that tells `cofferdam status` of events, `ADDR:PORT` or `https://HOST:PORT`;
        /// `up` needs none.
        events_from: Option<Place> = None, Unsaid::Nothing("\"https://gateway1.internal:8311\""), Restart;
        /// Who signed its certificate, PEM, where the system does not trust that authority.
        events_ca: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/ca.pem\""), Restart;
        /// The file with its token.
        events_token_file: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/admin.token\""), Restart;
        /// How often each way to each gateway is probed: 500 ms to 1 minute.
        every: Span = Span(Duration::from_secs(2)), Unsaid::Default("\"2s\""), Restart;
        /// An answer that takes longer is slow.
        slow: Span = Span(Duration::from_millis(100)), Unsaid::Default("\"100ms\""), Restart;
        /// Whether incidents that are bad and certain are published without a click: `"auto"` or
        /// `"held"`.
        publish: Publish = Publish::Auto, Unsaid::Default("\"auto\""), Restart;
        /// The SMTP server for subscribers, `HOST:PORT`; needs `mail_from` and `url`.
        mail_server: Option<String> = None, Unsaid::Nothing("\"mail.example:587\""), Restart;
        /// `"starttls"`, `"wrapped"` (TLS from the start, port 465), or `"off"`, without a password.
        mail_tls: MailTls = MailTls::Starttls, Unsaid::Default("\"starttls\""), Restart;
        /// Whom mail is from.
        mail_from: Option<String> = None, Unsaid::Nothing("\"Status <status@example.org>\""), Restart;
        /// Whom to log in as there.
        mail_username: Option<String> = None, Unsaid::Nothing("\"status\""), Restart;
        /// The file with the password for that.
        mail_password_file: Option<PathBuf> = None, Unsaid::Nothing("\"/etc/cofferdam/mail\""), Restart;
        /// A folder that the whole page is written into every ten seconds, to be served from
        /// elsewhere.
        export: Option<PathBuf> = None, Unsaid::Nothing("\"/srv/www/status\""), Restart;
    }
}
