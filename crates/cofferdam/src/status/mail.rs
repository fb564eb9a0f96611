//! Letters to those who asked for them, by the SMTP server of the configuration.

use std::fs;

use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MultiPart, SinglePart};
use lettre::transport::smtp::authentication::Credentials;
use lettre::transport::smtp::client::{Tls, TlsParameters};
use lettre::{Message, SmtpTransport, Transport};
use std::time::Duration;

use crate::config::{Config, MailTls};
use crate::failure::Failure;

/// For one letter, from connecting on.
const TIMEOUT: Duration = Duration::from_secs(20);

/// The way to the server; cheap to copy.
#[derive(Clone)]
pub(crate) struct Mailer {
    transport: SmtpTransport,
    from: Mailbox,
}

impl std::fmt::Debug for Mailer {
    /// Without the password.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mailer")
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}

/// One letter.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    pub(super) to: String,
    pub(super) subject: String,
    pub(super) text: String,
    /// The link by which its reader leaves with one click, if he is told again.
    pub(super) leave: Option<String>,
}

impl Mailer {
    /// As configured, if mail is to be sent; reads the file of the password.
    pub(crate) fn of(config: &Config) -> Result<Option<Self>, Failure> {
        let status = &config.status;
        let Some(server) = &status.mail_server else {
            return Ok(None);
        };
        let failed = |what: String| Failure::new(format!("status.mail_server {server:?}: {what}"));
        let (host, port) = server.rsplit_once(':').unwrap_or((server, "25"));
        let port = port.parse().map_err(|_| failed("write HOST:PORT".into()))?;
        let tls = || TlsParameters::new(host.to_owned()).map_err(|error| failed(error.to_string()));
        let mut builder = SmtpTransport::builder_dangerous(host)
            .port(port)
            .timeout(Some(TIMEOUT))
            .tls(match status.mail_tls {
                MailTls::Starttls => Tls::Required(tls()?),
                MailTls::Wrapped => Tls::Wrapper(tls()?),
                MailTls::Off => Tls::None,
            });
        if let (Some(user), Some(path)) = (&status.mail_username, &status.mail_password_file) {
            let password = fs::read_to_string(path)
                .map_err(|error| failed(format!("cannot read {}: {error}", path.display())))?;
            let password = password.trim().to_owned();
            builder = builder.credentials(Credentials::new(user.clone(), password));
        }
        let from = status.mail_from.as_deref().unwrap_or_default();
        let from = from
            .parse()
            .map_err(|error| failed(format!("status.mail_from {from:?}: {error}")))?;
        Ok(Some(Self {
            transport: builder.build(),
            from,
        }))
    }

    /// Sends a letter; waits for the server.
    pub(super) fn send(&self, letter: &Letter) -> Result<(), String> {
        let message = self.message(letter)?;
        let sent = self.transport.send(&message);
        sent.map(drop).map_err(|error| error.to_string())
    }

    fn message(&self, letter: &Letter) -> Result<Message, String> {
        let to: Mailbox = letter.to.parse().map_err(|_| "no address".to_owned())?;
        let mut builder = Message::builder()
            .from(self.from.clone())
            .to(to)
            .subject(letter.subject.clone());
        // RFC 2369 and RFC 8058: programs show a button that leaves.
        if let Some(leave) = &letter.leave {
            for (name, value) in [
                ("List-Unsubscribe", format!("<{leave}>")),
                (
                    "List-Unsubscribe-Post",
                    "List-Unsubscribe=One-Click".to_owned(),
                ),
                ("Auto-Submitted", "auto-generated".to_owned()),
            ] {
                let name = HeaderName::new_from_ascii_str(name);
                builder = builder.raw_header(HeaderValue::new(name, value));
            }
        }
        let text = SinglePart::builder()
            .header(ContentType::TEXT_PLAIN)
            .body(letter.text.clone());
        builder
            .multipart(MultiPart::alternative().singlepart(text))
            .map_err(|error| error.to_string())
    }
}

#[cfg(test)]
#[path = "mail_test.rs"]
mod tests;
