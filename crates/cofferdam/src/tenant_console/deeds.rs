//! What a tenant can do itself: flush, replace a credential, revoke one, set alerts. Each asks first and
//! is on record.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use base::Rights;
use runtime::http::Peer;
use runtime::secrets;
use runtime::webhook::Target;

use super::pages::{AlertsPage, ConfirmPage, GrantPage, SecretPage, Shell, wrong};
use super::{Member, Session, Shared, Web};
use crate::alerts::{AlertRule, WebhookTarget};
use crate::audit::{Entry, rfc3339};
use crate::web::{page, page_with};
use crate::wire::{CredentialRequest, CredentialView};

/// Letters of a webhook's secret, five bits each.
const SECRET_LEN: usize = 40;

pub(super) fn routes() -> Router<Shared> {
    Router::new()
        .route("/flush", get(ask_flush).post(flush))
        .route("/credential", get(ask_credential).post(replace))
        .route(
            "/credentials/{username}/revoke",
            get(ask_revoke).post(revoke),
        )
        .route("/alerts", get(ask_alerts).post(set_alerts))
}

type Typed = Form<HashMap<String, String>>;

impl Web {
    fn record(
        &self,
        member: &Member,
        Peer(from): Peer,
        action: &str,
        detail: &str,
        outcome: Result<(), &str>,
    ) {
        self.parts.audit.write(&Entry {
            at: rfc3339(self.parts.clock.now()),
            who: member.username.clone(),
            from: from.to_string(),
            action: action.to_owned(),
            tenant: Some(member.name.to_string()),
            node: None,
            detail: detail.to_owned(),
            outcome: outcome.err().unwrap_or("done").to_owned(),
        });
    }
}

/// A form whose token is wrong was not sent from one of our pages.
fn check(session: &Session, typed: &HashMap<String, String>) -> Result<(), Refusal> {
    let token = typed.get("form_token").map_or("", String::as_str);
    match session.owns_form(token) {
        true => Ok(()),
        false => {
            let why = "This form is not of your session: go back, load the page again, try again.";
            Err(Refusal(StatusCode::FORBIDDEN, why.to_owned()))
        }
    }
}

fn needs(may: bool, right: &str) -> Result<(), Refusal> {
    match may {
        true => Ok(()),
        false => {
            let why = format!("Your credential has no right to {right}.");
            Err(Refusal(StatusCode::FORBIDDEN, why))
        }
    }
}

/// Why nothing is done.
struct Refusal(StatusCode, String);

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        wrong(self.0, &self.1)
    }
}

type Answer = Result<Response, Refusal>;

fn told(done: Result<(), String>, to: &str) -> Response {
    match done {
        Ok(()) => Redirect::to(to).into_response(),
        Err(why) => wrong(StatusCode::CONFLICT, &why),
    }
}

async fn ask_flush(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
) -> Answer {
    needs(member.rights.flush, "flush")?;
    let items = web.parts.observatory.frames.borrow().clone();
    let items = items.tenant(&member.name).map(|own| own.get("items"));
    let items = items.filter(|count| count.is_finite());
    let items = items.map_or_else(String::new, |count| format!("{count:.0} "));
    Ok(page(&ConfirmPage {
        shell: Shell::new(&session, &member, "Flush"),
        question: "Flush all that you have cached?".to_owned(),
        consequence: format!(
            "All {items}items are gone at once, and your programs fetch everything from behind the \
             cache until it is warm again."
        ),
        button: "Flush",
        path: "/flush".to_owned(),
        is_grave: true,
    }))
}

async fn flush(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
    Extension(peer): Extension<Peer>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    needs(member.rights.flush, "flush")?;
    let name = member.name.to_string();
    let done = web.workers.run(move |control| control.flush(&name)).await;
    let outcome = done.as_ref().map(drop).map_err(String::as_str);
    web.record(&member, peer, "flush", "everything", outcome);
    Ok(told(done, "/"))
}

async fn ask_credential(
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
) -> Response {
    page(&ConfirmPage {
        shell: Shell::new(&session, &member, "New credential"),
        question: format!("Make a credential to replace {}?", member.username),
        consequence: format!(
            "It has the same rights ({}). The old one goes on working until you revoke it, so that \
             your programs can change over one by one. The new password is shown once, on the next \
             page.",
            member.rights
        ),
        button: "Make it",
        path: "/credential".to_owned(),
        is_grave: false,
    })
}

async fn replace(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
    Extension(peer): Extension<Peer>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    let (name, username) = (member.name.to_string(), member.username.clone());
    let rights = member.rights.to_string();
    let made = web.workers.run(move |control| {
        let own = control.credentials(&name)?;
        let is_primary = own
            .iter()
            .any(|one| one.username == username && one.primary);
        let request = CredentialRequest {
            rights: Some(rights),
            primary: is_primary,
        };
        control.add_credential(&name, &request)
    });
    let made = made.await;
    let detail = match &made {
        Ok(grant) => format!("new credential {}", grant.username),
        Err(_) => "a new credential".to_owned(),
    };
    let outcome = made.as_ref().map(drop).map_err(String::as_str);
    web.record(&member, peer, "rotate", &detail, outcome);
    Ok(match made {
        Ok(grant) => page(&GrantPage {
            shell: Shell::new(&session, &member, "New credential"),
            old: member.username.clone(),
            grant,
        }),
        Err(why) => wrong(StatusCode::CONFLICT, &why),
    })
}

/// The credential that `username` names, if `member` may revoke it.
async fn revocable(web: &Web, member: &Member, username: &str) -> Result<CredentialView, Refusal> {
    let is_own = member.username == username;
    needs(
        is_own || member.rights == Rights::ALL,
        "revoke others: that takes one with every right",
    )?;
    let name = member.name.to_string();
    let all = web
        .workers
        .run(move |control| control.credentials(&name))
        .await
        .map_err(|why| Refusal(StatusCode::SERVICE_UNAVAILABLE, why))?;
    if all.len() < 2 {
        let why = "It is your only one: make a new one first, else nobody can log in any more.";
        return Err(Refusal(StatusCode::CONFLICT, why.to_owned()));
    }
    let found = all.into_iter().find(|one| one.username == username);
    let why = "You have no credential of that name.".to_owned();
    found.ok_or(Refusal(StatusCode::NOT_FOUND, why))
}

async fn ask_revoke(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
    Path(username): Path<String>,
) -> Answer {
    let credential = revocable(&web, &member, &username).await?;
    let own = match credential.username == member.username {
        true => " You are logged in with it: you are logged out.",
        false => "",
    };
    Ok(page(&ConfirmPage {
        shell: Shell::new(&session, &member, "Revoke"),
        question: format!("Revoke {}?", credential.username),
        consequence: format!(
            "Connections that logged in with it are closed at once, and no new one is let in.{own}"
        ),
        button: "Revoke",
        path: format!("/credentials/{}/revoke", credential.username),
        is_grave: true,
    }))
}

async fn revoke(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
    Extension(peer): Extension<Peer>,
    Path(username): Path<String>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    revocable(&web, &member, &username).await?;
    let (name, revoked) = (member.name.to_string(), username.clone());
    let done = web
        .workers
        .run(move |control| control.revoke(&name, &revoked).map(drop))
        .await;
    let outcome = done.as_ref().map(drop).map_err(String::as_str);
    web.record(&member, peer, "revoke", &username, outcome);
    Ok(told(done, "/"))
}

fn alerts_page(session: &Session, member: &Member, rule: &AlertRule) -> AlertsPage {
    let shown = |percent: Option<u8>| percent.map_or_else(String::new, |p| p.to_string());
    AlertsPage {
        shell: Shell::new(session, member, "Alerts"),
        hit_ratio: shown(rule.hit_ratio_min_percent),
        memory: shown(rule.memory_max_percent),
        webhook: rule
            .webhook
            .as_ref()
            .map_or_else(String::new, |to| to.url.clone()),
        has_secret: rule.webhook.is_some(),
        failure: None,
    }
}

async fn ask_alerts(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
) -> Answer {
    needs(member.rights.write, "change anything")?;
    let rule = web.parts.alerts.of(member.tenant);
    Ok(page(&alerts_page(&session, &member, &rule)))
}

async fn set_alerts(
    State(web): State<Shared>,
    Extension(session): Extension<Session>,
    Extension(member): Extension<Member>,
    Extension(peer): Extension<Peer>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    needs(member.rights.write, "change anything")?;
    let before = web.parts.alerts.of(member.tenant);
    let text = |name: &str| typed.get(name).map_or("", |text| text.trim());
    let mut form = AlertsPage {
        hit_ratio: text("hit_ratio").to_owned(),
        memory: text("memory").to_owned(),
        webhook: text("webhook").to_owned(),
        ..alerts_page(&session, &member, &before)
    };
    let rule = match rule_of(&form, &before, web.parts.hooks.allows_private()) {
        Ok(rule) => rule,
        Err(why) => {
            form.failure = Some(why);
            return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &form));
        }
    };
    let detail = format!(
        "hit ratio below {:?} %, memory above {:?} %, webhook {:?}",
        form.hit_ratio, form.memory, form.webhook
    );
    let is_new = rule.webhook.is_some() && rule.webhook != before.webhook;
    let secret = rule.webhook.as_ref().map(|to| to.secret.clone());
    let (alerts, tenant) = (web.parts.alerts.clone(), member.tenant);
    let kept = tokio::task::spawn_blocking(move || alerts.set(tenant, rule)).await;
    let done = match kept {
        Ok(Ok(())) => Ok(()),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err("It broke off: ask your operator.".to_owned()),
    };
    let outcome = done.as_ref().map(drop).map_err(String::as_str);
    web.record(&member, peer, "alerts", &detail, outcome);
    Ok(match (done, secret.filter(|_| is_new)) {
        (Ok(()), Some(secret)) => page(&SecretPage {
            shell: Shell::new(&session, &member, "Alerts"),
            secret,
        }),
        (done, _) => told(done, "/"),
    })
}

/// What was typed, as a rule; an error names the field.
fn rule_of(form: &AlertsPage, before: &AlertRule, private: bool) -> Result<AlertRule, String> {
    let percent = |label: &str, text: &str| match text {
        "" => Ok(None),
        _ => match text.trim_end_matches('%').trim_end().parse::<u8>() {
            Ok(percent @ 1..=100) => Ok(Some(percent)),
            _ => Err(format!(
                "{label}: {text:?} is not 1 to 100; leave it empty for none"
            )),
        },
    };
    let webhook = match form.webhook.as_str() {
        "" => None,
        url => {
            Target::parse(url, private).map_err(|why| format!("Webhook: {why}"))?;
            let kept = before.webhook.clone().filter(|to| to.url == url);
            let new = || secrets::random_text(SECRET_LEN).map_err(|error| error.to_string());
            Some(match kept {
                Some(kept) => kept,
                None => WebhookTarget {
                    url: url.to_owned(),
                    secret: new()?,
                },
            })
        }
    };
    Ok(AlertRule {
        hit_ratio_min_percent: percent("Hit ratio", &form.hit_ratio)?,
        memory_max_percent: percent("Memory", &form.memory)?,
        webhook,
    })
}

#[cfg(test)]
#[path = "deeds_test.rs"]
mod tests;
