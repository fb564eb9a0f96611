//! Sends signed JSON to addresses in the web that others have named, and nothing to any place within.
//!
//! Whoever names an address must not have this machine ask its neighbours in his stead: only https is
//! spoken, redirects are not followed, proxies not used, and of what a name stands for only public
//! addresses are connected to. That is looked at when it is connected, so that a name cannot turn into
//! another meanwhile.

use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use base::{Timestamp, is_public};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::{Client, Url, header};

use crate::net::tls::{Trust, client_config};
use crate::secrets;

/// Who we are to those who are told.
const USER_AGENT: &str = concat!("Cofferdam/", env!("CARGO_PKG_VERSION"));
/// Carries the time and what the body is signed with: `t=SECONDS,v1=HEX`.
pub const SIGNATURE_HEADER: &str = "cofferdam-signature";
/// Carries a number that is the same each time that a message is tried again.
pub const DELIVERY_HEADER: &str = "cofferdam-delivery";

const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
const TIMEOUT: Duration = Duration::from_secs(10);
const URL_LEN_MAX: usize = 512;
/// Of an answer no more is read.
const ANSWER_LEN_MAX: usize = 4096;

/// A place that may be told something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    url: Url,
    allows_private: bool,
}

impl Target {
    /// Reads an address; with `allows_private` it may be anywhere, and unencrypted.
    ///
    /// # Errors
    /// Why nothing is sent there, for whoever wrote it.
    pub fn parse(text: &str, allows_private: bool) -> Result<Self, String> {
        if text.len() > URL_LEN_MAX {
            return Err(format!("an address has at most {URL_LEN_MAX} letters"));
        }
        let url = Url::parse(text).map_err(|error| format!("{text:?} is no address: {error}"))?;
        match url.scheme() {
            "https" => {}
            "http" if allows_private => {}
            other => {
                return Err(format!(
                    "{other}:// is not spoken: give an https:// address"
                ));
            }
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("an address with a user name or password in it is not taken".to_owned());
        }
        let Some(host) = url.host_str().filter(|host| !host.is_empty()) else {
            return Err(format!("{text:?} names no host"));
        };
        let literal: Option<IpAddr> = host.trim_matches(['[', ']']).parse().ok();
        if !allows_private && literal.is_some_and(|address| !is_public(address)) {
            return Err(format!("{host} is not in the public internet"));
        }
        Ok(Self {
            url,
            allows_private,
        })
    }

    /// Its address.
    pub fn url(&self) -> &str {
        self.url.as_str()
    }
}

/// What is sent.
#[derive(Clone, Debug)]
pub struct Message {
    /// The same for each attempt.
    pub id: String,
    /// JSON.
    pub body: Vec<u8>,
    /// What it is signed with.
    pub secret: String,
}

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The beginning of the body.
    pub body: Vec<u8>,
}

impl Answer {
    /// Whether the message was taken.
    pub fn is_taken(&self) -> bool {
        (200..300).contains(&self.status)
    }

    /// Whether nothing is wanted there any more (410 Gone).
    pub fn is_farewell(&self) -> bool {
        self.status == 410
    }
}

/// Sends messages; cheap to copy.
#[derive(Clone, Debug)]
pub struct Sender {
    public: Client,
    anywhere: Client,
}

impl Sender {
    /// One that trusts the authorities of this system.
    ///
    /// # Errors
    /// There are none, or no client can be made with them.
    pub fn new() -> io::Result<Self> {
        let tls = client_config(Trust::System).map_err(io::Error::other)?;
        let client = |resolver: Option<Arc<PublicOnly>>| {
            let mut builder = Client::builder()
                .user_agent(USER_AGENT)
                .connect_timeout(CONNECT_TIMEOUT)
                .timeout(TIMEOUT)
                .redirect(reqwest::redirect::Policy::none())
                // A connection that is kept would outlive what its name stands for.
                .pool_max_idle_per_host(0)
                .no_proxy()
                .tls_backend_preconfigured((*tls).clone());
            if let Some(resolver) = resolver {
                builder = builder.dns_resolver(resolver);
            }
            builder.build().map_err(io::Error::other)
        };
        Ok(Self {
            public: client(Some(Arc::new(PublicOnly)))?,
            anywhere: client(None)?,
        })
    }

    /// Posts a message once.
    ///
    /// # Errors
    /// Why no answer came, in words.
    pub async fn post(
        &self,
        now: Timestamp,
        target: &Target,
        message: &Message,
    ) -> Result<Answer, String> {
        let client = match target.allows_private {
            true => &self.anywhere,
            false => &self.public,
        };
        let request = client
            .post(target.url.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .header(DELIVERY_HEADER, &message.id)
            .header(
                SIGNATURE_HEADER,
                signature(now, &message.secret, &message.body),
            )
            .body(message.body.clone());
        let mut response = request.send().await.map_err(told)?;
        let mut body = Vec::new();
        while body.len() < ANSWER_LEN_MAX {
            match response.chunk().await.map_err(told)? {
                Some(chunk) => body.extend_from_slice(&chunk),
                None => break,
            }
        }
        body.truncate(ANSWER_LEN_MAX);
        Ok(Answer {
            status: response.status().as_u16(),
            body,
        })
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 of the seconds, a point, and the body.
pub fn signature(now: Timestamp, secret: &str, body: &[u8]) -> String {
    let seconds = now.as_nanos() / 1_000_000_000;
    let mut signed = format!("{seconds}.").into_bytes();
    signed.extend_from_slice(body);
    let tag = secrets::hex(&secrets::sign(secret.as_bytes(), &signed));
    format!("t={seconds},v1={tag}")
}

/// An error with all that it came from, without the address: that may be a secret.
fn told(error: reqwest::Error) -> String {
    let error = error.without_url();
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(&error);
    while let Some(inner) = cause {
        text.push_str(": ");
        text.push_str(&inner.to_string());
        cause = inner.source();
    }
    text
}

/// Tells of a name the addresses that are public.
#[derive(Debug)]
struct PublicOnly;

impl Resolve for PublicOnly {
    fn resolve(&self, name: Name) -> Resolving {
        let name = name.as_str().to_owned();
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            let public: Vec<SocketAddr> = found.filter(|addr| is_public(addr.ip())).collect();
            match public.is_empty() {
                true => Err(format!("{name} is nowhere in the public internet").into()),
                false => Ok(Box::new(public.into_iter()) as Addrs),
            }
        })
    }
}

#[cfg(test)]
#[path = "webhook_test.rs"]
mod tests;
