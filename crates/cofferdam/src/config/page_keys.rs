//! The keys of what people look at, and of who is told: the tenants' console, webhooks, the status page.

use std::path::PathBuf;
use std::time::Duration;

use fleet::gate::GateLimits;
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
    /// The gate: what a new node is tested for before it serves; see docs/judging.md. It is compared
    /// with the nodes that serve; the limits here are for fleets of fewer than three.
    Gate "gate" {
        /// Whether a node that comes to a fleet is tested before it is let in. Without it new nodes wait
        /// for a minute and go in, and `cofferdam gate run` is only asked for its opinion.
        required: bool = true, Unsaid::Default("true"), Restart;
        /// For so long after its first node a fleet takes in others untested, at their full weight: there
        /// is nothing yet to compare them with. Read by the node that joins.
        founding: Span = Span(Duration::from_secs(60)), Unsaid::Default("\"1m\""), Restart;
        /// A node that has passed is sent copies of requests before it has any key, so many of a hundred as
        /// one node that serves is asked. 0: none, and it waits for a minute.
        copies_percent: f64 = 5.0, Unsaid::Default("5.0"), Restart;
        /// The longest that half of the round trips may take while bytes go both ways; of a hundred one may
        /// take ten times as long, of a thousand one fifty times.
        round_trip: Span = Span(Duration::from_millis(2)), Unsaid::Default("\"2ms\""), Restart;
        /// The least throughput, either way, in Mbit/s.
        throughput_mbit: f64 = 100.0, Unsaid::Default("100.0"), Restart;
        /// The most segments that are sent again, of a hundred.
        resent_percent: f64 = 1.0, Unsaid::Default("1.0"), Restart;
        /// The longest that half of the cache's own operations may take.
        engine: Span = Span(Duration::from_micros(50)), Unsaid::Default("\"50us\""), Restart;
        /// The most that the host may take of the processors, of a hundred.
        steal_percent: f64 = 10.0, Unsaid::Default("10.0"), Restart;
        /// The least memory that is copied in a second, in MiB.
        memory_mib: f64 = 1000.0, Unsaid::Default("1000.0"), Restart;
        /// The longest that half of the small writes may take until they are on the disk; of nodes that
        /// keep volumes.
        disk: Span = Span(Duration::from_millis(20)), Unsaid::Default("\"20ms\""), Restart;
        /// How far the clock may be away.
        clock: Span = Span(Duration::from_millis(100)), Unsaid::Default("\"100ms\""), Restart;
    }
}

impl Gate {
    /// For verdicts.
    pub(crate) fn limits(&self) -> GateLimits {
        let ms = |span: Span| span.0.as_secs_f64() * 1e3;
        GateLimits {
            round_trip_ms: ms(self.round_trip),
            throughput_mbit_s: self.throughput_mbit,
            resent_percent: self.resent_percent,
            engine_us: ms(self.engine) * 1e3,
            steal_percent: self.steal_percent,
            memory_mib_s: self.memory_mib,
            disk_ms: ms(self.disk),
            clock_ms: ms(self.clock),
        }
    }

    /// What is wrong with them.
    pub(super) fn check(&self) -> Result<(), String> {
        let least = [
            ("throughput_mbit", self.throughput_mbit),
            ("memory_mib", self.memory_mib),
        ];
        let most = [
            ("resent_percent", self.resent_percent),
            ("steal_percent", self.steal_percent),
            ("copies_percent", self.copies_percent),
        ];
        for (name, figure) in least {
            if !(figure.is_finite() && figure > 0.0) {
                return Err(format!("gate.{name} is {figure}: choose more than 0"));
            }
        }
        for (name, figure) in most {
            if !(0.0..=100.0).contains(&figure) {
                return Err(format!("gate.{name} is {figure}: choose 0 to 100"));
            }
        }
        Ok(())
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
