//! What an operator can do to a tenant: a page that says what will happen, then the deed, on record.

use std::collections::HashMap;

use axum::Router;
use axum::extract::{Extension, Form, Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::get;
use runtime::http::Peer;

use super::form::{self, Field};
use super::pages::{ConfirmPage, GrantPage, LimitPage, Shell, not_found, wrong};
use super::{Console, Session};
use crate::audit::{Entry, rfc3339};
use crate::control::{Control, ControlError, OPEN_TENANT};
use crate::web::{address, page, page_with};
use crate::wire::{CredentialRequest, TenantView};

pub(super) fn routes() -> Router<Console> {
    Router::new()
        .route(
            "/console/tenants/{tenant}/limit",
            get(ask_limit).post(limit),
        )
        .route(
            "/console/tenants/{tenant}/flush",
            get(ask_flush).post(flush),
        )
        .route(
            "/console/tenants/{tenant}/rotate",
            get(ask_rotate).post(rotate),
        )
}

pub(super) type Typed = Form<HashMap<String, String>>;

/// Who does what, from where and to whom, for the record.
pub(super) struct Deed<'a> {
    console: &'a Console,
    from: String,
    action: &'static str,
    to: Subject<'a>,
}

/// To whom something is done.
#[derive(Clone, Copy, Debug)]
pub(super) enum Subject<'a> {
    Tenant(&'a str),
    Node(&'a str),
}

impl Deed<'_> {
    pub(super) fn record(&self, detail: &str, outcome: Result<(), &str>) {
        let (tenant, node) = match self.to {
            Subject::Tenant(name) => (Some(name.to_owned()), None),
            Subject::Node(name) => (None, Some(name.to_owned())),
        };
        self.console.audit.write(&Entry {
            at: rfc3339(self.console.api.clock.now()),
            who: "operator".to_owned(),
            from: self.from.clone(),
            action: self.action.to_owned(),
            tenant,
            node,
            detail: detail.to_owned(),
            outcome: outcome.err().unwrap_or("done").to_owned(),
        });
    }
}

impl Console {
    /// Runs `work` where it may wait for the disk.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Control) -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, String> {
        let control = self.api.control.clone();
        let done = tokio::task::spawn_blocking(move || work(&control)).await;
        match done {
            Ok(result) => result.map_err(|error| error.to_string()),
            Err(_) => Err("it broke off: look at the log".to_owned()),
        }
    }

    async fn show(&self, tenant: &str) -> Result<TenantView, Refusal> {
        let name = tenant.to_owned();
        let shown = self.run(move |control| control.show(&name)).await;
        shown.map_err(Refusal::NotFound)
    }

    pub(super) fn deed<'a>(
        &'a self,
        peer: Option<Extension<Peer>>,
        action: &'static str,
        to: Subject<'a>,
    ) -> Deed<'a> {
        let from = address(peer).map_or_else(|| "admin.sock".to_owned(), |ip| ip.to_string());
        Deed {
            console: self,
            from,
            action,
            to,
        }
    }
}

/// A form whose token is wrong was not sent from one of our pages.
pub(super) fn check(session: &Session, typed: &HashMap<String, String>) -> Result<(), Refusal> {
    let token = typed.get("form_token").map_or("", String::as_str);
    match session.owns_form(token) {
        true => Ok(()),
        false => Err(Refusal::StrangeForm),
    }
}

/// Why nothing is done.
pub(super) enum Refusal {
    StrangeForm,
    NotFound(String),
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        match self {
            Self::StrangeForm => {
                let why = "this form is not of your session: go back, reload the page, try again\n";
                (StatusCode::FORBIDDEN, why).into_response()
            }
            Self::NotFound(why) => not_found(&why),
        }
    }
}

pub(super) type Answer = Result<Response, Refusal>;

fn current(view: &TenantView) -> Vec<Field> {
    let memory = (view.tenant != OPEN_TENANT).then_some(view.memory_bytes);
    form::fields(memory, &view.traffic)
}

async fn ask_limit(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(tenant): Path<String>,
) -> Answer {
    let view = console.show(&tenant).await?;
    Ok(page(&LimitPage::new(
        &session,
        &view.tenant,
        current(&view),
    )))
}

/// First the form, then the same with what it would change, then the deed.
async fn limit(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    peer: Option<Extension<Peer>>,
    Path(tenant): Path<String>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    let view = console.show(&tenant).await?;
    let fields = current(&view);
    let filled = fields.iter().map(|field| Field {
        value: typed
            .get(field.name)
            .unwrap_or(&field.value)
            .trim()
            .to_owned(),
        ..field.clone()
    });
    let mut form_page = LimitPage::new(&session, &tenant, filled.collect());
    let (change, words) = match form::change(&fields, &typed) {
        Ok(change) => change,
        Err(why) => {
            form_page.failure = Some(why);
            return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &form_page));
        }
    };
    if words.is_empty() {
        form_page.failure = Some("Nothing is changed.".to_owned());
        return Ok(page_with(StatusCode::UNPROCESSABLE_ENTITY, &form_page));
    }
    if !typed.contains_key("confirmed") {
        form_page.changes = words;
        return Ok(page(&form_page));
    }
    let deed = console.deed(peer, "limit", Subject::Tenant(&tenant));
    let name = tenant.clone();
    let done = console
        .run(move |control| control.limit(&name, &change))
        .await;
    deed.record(
        &words.join("; "),
        done.as_ref().map(drop).map_err(String::as_str),
    );
    Ok(match done {
        Ok(_) => Redirect::to(&format!("/console/tenants/{tenant}")).into_response(),
        Err(why) => {
            form_page.failure = Some(why);
            page_with(StatusCode::UNPROCESSABLE_ENTITY, &form_page)
        }
    })
}

async fn ask_flush(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(tenant): Path<String>,
) -> Answer {
    let view = console.show(&tenant).await?;
    let items = view.items.unwrap_or(0);
    Ok(page(&ConfirmPage {
        shell: Shell::new(&session, "Flush"),
        question: format!("Flush all that {} has cached?", view.tenant),
        consequence: format!(
            "Its {items} items are gone at once, and its clients fetch everything from behind the \
             cache until it is warm again. Nobody else is touched."
        ),
        button: "Flush".to_owned(),
        path: format!("/console/tenants/{tenant}/flush"),
        back: format!("/console/tenants/{tenant}"),
        is_grave: true,
    }))
}

async fn flush(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    peer: Option<Extension<Peer>>,
    Path(tenant): Path<String>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    let deed = console.deed(peer, "flush", Subject::Tenant(&tenant));
    let name = tenant.clone();
    let done = console.run(move |control| control.flush(&name)).await;
    deed.record(
        "everything",
        done.as_ref().map(drop).map_err(String::as_str),
    );
    Ok(match done {
        Ok(()) => Redirect::to(&format!("/console/tenants/{tenant}")).into_response(),
        Err(why) => wrong(&why),
    })
}

async fn ask_rotate(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    Path(tenant): Path<String>,
) -> Answer {
    console.show(&tenant).await?;
    Ok(page(&ConfirmPage {
        shell: Shell::new(&session, "Rotate"),
        question: format!("Make a new primary credential for {tenant}?"),
        consequence: "The ones that it has go on working until they are revoked. The new password \
                      is shown once, on the next page."
            .to_owned(),
        button: "Make it".to_owned(),
        path: format!("/console/tenants/{tenant}/rotate"),
        back: format!("/console/tenants/{tenant}"),
        is_grave: false,
    }))
}

async fn rotate(
    State(console): State<Console>,
    Extension(session): Extension<Session>,
    peer: Option<Extension<Peer>>,
    Path(tenant): Path<String>,
    Form(typed): Typed,
) -> Answer {
    check(&session, &typed)?;
    let deed = console.deed(peer, "rotate", Subject::Tenant(&tenant));
    let name = tenant.clone();
    let request = CredentialRequest {
        rights: None,
        primary: true,
    };
    let done = console
        .run(move |control| control.add_credential(&name, &request))
        .await;
    let detail = match &done {
        Ok(grant) => format!("new primary credential {}", grant.username),
        Err(_) => "a new primary credential".to_owned(),
    };
    deed.record(&detail, done.as_ref().map(drop).map_err(String::as_str));
    Ok(match done {
        Ok(grant) => page(&GrantPage {
            shell: Shell::new(&session, "New credential"),
            back: format!("/console/tenants/{tenant}"),
            grant,
        }),
        Err(why) => wrong(&why),
    })
}
