//! Tells subscribers: asks first whether they want it, then sends each update, one of each at a time.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::sync::mpsc::{self, RecvTimeoutError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use base::Timestamp;
use runtime::webhook::{Answer, Message, Sender, Target};
use serde_json::json;
use status::civil::rfc3339;
use status::subscribers::{Destination, Notice, Subscriber};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;

use super::hub::Hub;
use super::mail::{Letter, Mailer};
use super::settings::Settings;
use crate::failure::Failure;
use crate::hooks::Backoff;

/// How often it is looked whether there is something to tell.
const TICK: Duration = Duration::from_millis(500);
/// How long messages under way are waited for at each look.
const SLICE: Duration = Duration::from_millis(500);
/// Messages under way at once.
const UNDER_WAY_MAX: usize = 32;
/// A challenge that was not answered so often is given up.
const CHALLENGES_MAX: u32 = 4;

/// The thread that tells; it ends when this is dropped.
pub(super) struct Subscriptions {
    end: Option<mpsc::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Subscriptions {
    pub(super) fn start(hub: &Arc<Hub>, settings: &Settings) -> Result<Self, Failure> {
        let (end, ended) = mpsc::channel();
        let post = Post {
            hub: Arc::clone(hub),
            mailer: settings.mailer.clone(),
            allows_private: settings.allows_private,
            url: settings.url.clone(),
            name: settings.name.clone(),
        };
        let thread = thread::Builder::new()
            .name("status-post".into())
            .spawn(move || {
                // Where nobody has subscribed, nothing is made ready.
                let mut office: Option<Office> = None;
                while ended.recv_timeout(TICK) == Err(RecvTimeoutError::Timeout) {
                    if office.is_none() && post.hub.subscribers().all().next().is_some() {
                        office = match Office::new(post.clone()) {
                            Ok(office) => Some(office),
                            Err(error) => {
                                tracing::error!(%error, "status: nobody is told: restart");
                                return;
                            }
                        };
                    }
                    if let Some(office) = &mut office {
                        office.tick(office.post.hub.now());
                    }
                }
            })?;
        Ok(Self {
            end: Some(end),
            thread: Some(thread),
        })
    }
}

impl Drop for Subscriptions {
    fn drop(&mut self) {
        self.end = None;
        if let Some(thread) = self.thread.take() {
            // A panic there was reported by its own thread.
            let _ = thread.join();
        }
    }
}

/// What messages are made of and sent with.
#[derive(Clone)]
struct Post {
    hub: Arc<Hub>,
    mailer: Option<Mailer>,
    allows_private: bool,
    url: String,
    name: String,
}

/// What is under way to one subscriber.
#[derive(Debug, Default)]
struct Delivery {
    backoff: Backoff,
    is_busy: bool,
    /// Challenges that were not answered, letters that ask and were sent.
    asked: u32,
}

/// Why something is sent.
#[derive(Clone, Debug)]
enum Errand {
    /// Whether he wants to be told.
    Ask,
    /// Of an incident.
    Tell(Notice),
}

/// What came of it.
enum Outcome {
    Taken,
    /// It was answered, with more than that it was taken.
    Answered(Answer),
    Failed(String),
}

struct Office {
    post: Post,
    runtime: Runtime,
    sender: Sender,
    under_way: JoinSet<(u64, Errand, Outcome)>,
    deliveries: HashMap<u64, Delivery>,
}

impl Office {
    fn new(post: Post) -> io::Result<Self> {
        Ok(Self {
            post,
            runtime: tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .max_blocking_threads(4)
                .build()?,
            sender: Sender::new()?,
            under_way: JoinSet::new(),
            deliveries: HashMap::new(),
        })
    }

    fn tick(&mut self, now: Timestamp) {
        self.post.hub.subscribers().expire(now);
        let due = self.due(now);
        for (one, errand) in due {
            self.send(now, one, errand);
        }
        self.wait(now);
    }

    /// Who is to be told what now.
    fn due(&mut self, now: Timestamp) -> Vec<(Subscriber, Errand)> {
        let hub = Arc::clone(&self.post.hub);
        let (board, subscribers) = (hub.board(), hub.subscribers());
        self.deliveries
            .retain(|id, delivery| delivery.is_busy || subscribers.get(*id).is_some());
        let room = UNDER_WAY_MAX.saturating_sub(self.under_way.len());
        let mut due = Vec::new();
        for one in subscribers.all() {
            if due.len() >= room {
                break;
            }
            let delivery = self.deliveries.entry(one.id).or_default();
            if delivery.is_busy || !delivery.backoff.is_due(now) {
                continue;
            }
            let errand = match one.is_confirmed {
                true => one.next(board.incidents()).map(Errand::Tell),
                // A letter that asks is sent once.
                false if matches!(one.to, Destination::Mail(_)) && delivery.asked > 0 => None,
                false => Some(Errand::Ask),
            };
            due.extend(errand.map(|errand| (one.clone(), errand)));
        }
        due
    }

    fn send(&mut self, now: Timestamp, one: Subscriber, errand: Errand) {
        if let Some(delivery) = self.deliveries.get_mut(&one.id) {
            delivery.is_busy = true;
        }
        let post = self.post.clone();
        let sender = self.sender.clone();
        let _entered = self.runtime.enter();
        self.under_way.spawn(async move {
            let outcome = match &one.to {
                Destination::Webhook(url) => post.post(now, &sender, url, &one, &errand).await,
                Destination::Mail(address) => post.mail(address, &one, &errand).await,
            };
            (one.id, errand, outcome)
        });
    }

    /// Lets messages go on for a moment.
    fn wait(&mut self, now: Timestamp) {
        if self.under_way.is_empty() {
            return;
        }
        let under_way = &mut self.under_way;
        let mut ended = Vec::new();
        self.runtime.block_on(async {
            let joined = async {
                while let Some(outcome) = under_way.join_next().await {
                    ended.extend(outcome);
                }
            };
            // What is not over by then goes on at the next look.
            let _ = tokio::time::timeout(SLICE, joined).await;
        });
        for (id, errand, outcome) in ended {
            self.take(now, id, &errand, outcome);
        }
    }

    fn take(&mut self, now: Timestamp, id: u64, errand: &Errand, outcome: Outcome) {
        let mut subscribers = self.post.hub.subscribers();
        let Some(delivery) = self.deliveries.get_mut(&id) else {
            return;
        };
        delivery.is_busy = false;
        let why = match (outcome, errand) {
            (Outcome::Answered(answer), _) if answer.is_farewell() => {
                return subscribers.leave(id);
            }
            (Outcome::Answered(answer), Errand::Tell(notice)) if answer.is_taken() => {
                delivery.backoff.reset();
                return subscribers.told(id, notice);
            }
            (Outcome::Taken, Errand::Tell(notice)) => {
                delivery.backoff.reset();
                return subscribers.told(id, notice);
            }
            (Outcome::Taken, Errand::Ask) => {
                delivery.asked += 1;
                return;
            }
            (Outcome::Answered(answer), Errand::Ask) => {
                let challenge = subscribers.get(id).map(challenge_of).unwrap_or_default();
                let body = String::from_utf8_lossy(&answer.body);
                if answer.is_taken() && body.contains(&challenge) {
                    delivery.backoff.reset();
                    return subscribers.confirm(now, id);
                }
                "the challenge was not answered".to_owned()
            }
            (Outcome::Answered(answer), _) => format!("it answers {}", answer.status),
            (Outcome::Failed(why), _) => why,
        };
        tracing::debug!(subscriber = id, why, "status: not told");
        let is_tried_again = delivery.backoff.failed(now);
        match errand {
            Errand::Ask => {
                delivery.asked += 1;
                if delivery.asked >= CHALLENGES_MAX {
                    subscribers.leave(id);
                }
            }
            Errand::Tell(notice) if !is_tried_again => {
                tracing::warn!(subscriber = id, why, "status: a message is given up");
                delivery.backoff.reset();
                subscribers.told(id, notice);
            }
            Errand::Tell(_) => {}
        }
    }
}

/// What a webhook must repeat: of its token, so that it needs not be kept.
fn challenge_of(one: &Subscriber) -> String {
    let tag = runtime::secrets::sign(one.token.as_bytes(), b"challenge");
    runtime::secrets::hex(&tag)
}

impl Post {
    fn link(&self, path: &str) -> String {
        format!("{}{path}", self.url)
    }

    /// The link by which somebody leaves.
    fn leave(&self, one: &Subscriber) -> String {
        self.link(&format!("/unsubscribe?token={}", one.token))
    }

    async fn post(
        &self,
        now: Timestamp,
        sender: &Sender,
        url: &str,
        one: &Subscriber,
        errand: &Errand,
    ) -> Outcome {
        let target = match Target::parse(url, self.allows_private) {
            Ok(target) => target,
            Err(why) => return Outcome::Failed(why),
        };
        let (id, body) = match errand {
            Errand::Ask => (
                format!("challenge-{}", one.id),
                json!({ "type": "challenge", "challenge": challenge_of(one) }),
            ),
            Errand::Tell(notice) => (
                format!("incident-{}-{}", notice.incident, notice.at.as_nanos()),
                self.told(one, notice),
            ),
        };
        let message = Message {
            id,
            body: body.to_string().into_bytes(),
            secret: one.secret.clone(),
        };
        match sender.post(now, &target, &message).await {
            Ok(answer) => Outcome::Answered(answer),
            Err(why) => Outcome::Failed(why),
        }
    }

    /// An update, as a webhook reads it.
    fn told(&self, one: &Subscriber, notice: &Notice) -> serde_json::Value {
        json!({
            "type": "incident",
            "page": { "name": self.name, "url": self.url },
            "incident": {
                "id": format!("i{}", notice.incident),
                "name": notice.title,
                "status": notice.phase.word(),
                "url": self.link(&format!("/incidents/{}", notice.incident)),
                "update": { "at": rfc3339(notice.at), "body": notice.text },
            },
            "unsubscribe": self.leave(one),
        })
    }

    async fn mail(&self, address: &str, one: &Subscriber, errand: &Errand) -> Outcome {
        let Some(mailer) = self.mailer.clone() else {
            return Outcome::Failed("no mail is sent any more".to_owned());
        };
        let letter = match errand {
            Errand::Ask => self.question(address, one),
            Errand::Tell(notice) => self.news(address, one, notice),
        };
        let sent = tokio::task::spawn_blocking(move || mailer.send(&letter)).await;
        match sent {
            Ok(Ok(())) => Outcome::Taken,
            Ok(Err(why)) => Outcome::Failed(why),
            Err(_) => Outcome::Failed("it broke off".to_owned()),
        }
    }

    fn question(&self, address: &str, one: &Subscriber) -> Letter {
        let link = self.link(&format!("/subscribe/confirm?token={}", one.token));
        Letter {
            to: address.to_owned(),
            subject: format!("[{}] Do you want to be told of incidents?", self.name),
            text: format!(
                "Somebody, probably you, asked that this address be told of incidents of {}.\n\n\
                 If you want that, confirm it within a day:\n{link}\n\n\
                 If not, do nothing: you will hear no more of us.\n",
                self.name
            ),
            leave: None,
        }
    }

    fn news(&self, address: &str, one: &Subscriber, notice: &Notice) -> Letter {
        let leave = self.leave(one);
        Letter {
            to: address.to_owned(),
            subject: format!("[{}] {}: {}", self.name, notice.phase.text(), notice.title),
            text: format!(
                "{}\n\n{}\n{}, {} (UTC)\n\n--\nYou asked to be told of incidents. To leave: {leave}\n",
                notice.text,
                self.link(&format!("/incidents/{}", notice.incident)),
                notice.phase.text(),
                rfc3339(notice.at),
            ),
            leave: Some(leave),
        }
    }
}
