//! The admin API: HTTP and JSON in front of control.

mod board;
mod fleet;
mod gate;
mod history;
mod log;
mod observe;
mod upgrade;
mod volumes;

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use axum::Router;
use axum::body::Bytes;
use axum::extract::rejection::JsonRejection;
use axum::extract::{DefaultBodyLimit, FromRequest, Path, Query, Request, State};
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{delete, get, post};
use base::Timestamp;
use runtime::Clock;
use runtime::store::Store;
use serde::Deserialize;

use crate::control::{Control, ControlError};
use crate::failure::Failure;
use crate::membership::{Membership, TenantsError};
use crate::observe::Observatory;
use crate::upgrade::Upgrader;
use crate::wire::{
    CredentialRequest, CredentialView, ErrorBody, Grant, LimitChange, ReloadReport, Revoked, Stat,
    TenantRequest, TenantView,
};
use runtime::state::StateError;
use runtime::volumes::VolumeError;

/// Paths that need no token: whether the process lives, and the console, which has its own login.
pub(crate) const OPEN_PATHS: &[&str] = &["/livez", "/readyz", "/", "/console", "/console/*"];

const BODY_LEN_MAX: usize = 64 * 1024;

/// Reads the configuration again.
pub(crate) type Reload = dyn Fn() -> Result<ReloadReport, Failure> + Send + Sync;

/// What the handlers share.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) control: Arc<Control>,
    pub(crate) reload: Option<Arc<Reload>>,
    pub(crate) upgrader: Option<Arc<Upgrader>>,
    pub(crate) ready: Arc<AtomicBool>,
    pub(crate) observatory: Option<Arc<Observatory>>,
    /// The fleet that this process is a member of, if it is of one.
    pub(crate) membership: Option<Arc<Membership>>,
    /// Where its nodes are judged and tested, if they are.
    pub(crate) judging_room: Option<Arc<dyn Store>>,
    pub(crate) clock: Clock,
    pub(crate) started: Timestamp,
}

impl Api {
    /// Over `control`, with nothing to reload: what a command line uses where no daemon runs.
    pub(crate) fn new(control: Arc<Control>, clock: Clock) -> Self {
        Self {
            control,
            reload: None,
            upgrader: None,
            ready: Arc::default(),
            observatory: None,
            membership: None,
            judging_room: None,
            clock,
            started: clock.now(),
        }
    }

    pub(crate) fn router(self) -> Router {
        Router::new()
            .merge(observe::routes())
            .merge(history::routes())
            .merge(board::routes())
            .merge(log::routes())
            .route("/v1/tenants", get(list).post(add))
            .route(
                "/v1/tenants/{tenant}",
                get(show).patch(limit).delete(remove),
            )
            .route("/v1/tenants/{tenant}/flush", post(flush))
            .merge(fleet::routes())
            .merge(gate::routes())
            .route(
                "/v1/tenants/{tenant}/credentials",
                get(credentials).post(add_credential),
            )
            .route(
                "/v1/tenants/{tenant}/credentials/{username}",
                delete(revoke),
            )
            .route(
                "/v1/tenants/{tenant}/credentials/{username}/promote",
                post(promote),
            )
            .route("/v1/stat", get(stat))
            .route("/v1/reload", post(reload))
            .merge(upgrade::routes())
            .merge(volumes::routes())
            .route("/v1/state/backup", get(backup))
            .fallback(async || {
                ApiError(
                    StatusCode::NOT_FOUND,
                    "no such path: the API is under /v1".into(),
                )
            })
            .method_not_allowed_fallback(async || {
                ApiError(
                    StatusCode::METHOD_NOT_ALLOWED,
                    "this path does not take that method".into(),
                )
            })
            .layer(DefaultBodyLimit::max(BODY_LEN_MAX))
            .with_state(self)
    }

    /// Runs `work` where it may wait for the disk without holding up other answers.
    async fn run<T: Send + 'static>(
        self,
        work: impl FnOnce(&Control) -> Result<T, ControlError> + Send + 'static,
    ) -> Result<T, ApiError> {
        let done = tokio::task::spawn_blocking(move || work(&self.control)).await;
        match done {
            Ok(result) => result.map_err(ApiError::from),
            Err(_) => Err(ApiError(
                StatusCode::INTERNAL_SERVER_ERROR,
                "the change broke off: look at the daemon's log, then at `cofferdam tenant list`"
                    .into(),
            )),
        }
    }
}

/// A status and the line that explains it.
struct ApiError(StatusCode, String);

impl From<ControlError> for ApiError {
    fn from(error: ControlError) -> Self {
        let status = match &error {
            ControlError::Invalid(_)
            | ControlError::OpenTenant
            | ControlError::Fleet(TenantsError::Nowhere(_)) => StatusCode::BAD_REQUEST,
            ControlError::NoTenant(_)
            | ControlError::Volume(VolumeError::Unknown(_) | VolumeError::NoSnapshot { .. })
            | ControlError::NoCredential { .. }
            | ControlError::Fleet(TenantsError::Gone)
            | ControlError::State(StateError::Gone) => StatusCode::NOT_FOUND,
            ControlError::Taken(_)
            | ControlError::TooManyCredentials { .. }
            | ControlError::Oversold { .. }
            | ControlError::MemoryTooSmall { .. }
            | ControlError::HasVolumes { .. }
            | ControlError::Volume(
                VolumeError::InUse { .. }
                | VolumeError::Held { .. }
                | VolumeError::HasClones { .. }
                | VolumeError::Refused { .. },
            )
            | ControlError::Fleet(TenantsError::Taken(_) | TenantsError::Busy)
            | ControlError::NoFleet
            | ControlError::State(StateError::NameTaken(_)) => StatusCode::CONFLICT,
            ControlError::NotRunning
            | ControlError::Fleet(TenantsError::Store(_))
            | ControlError::Volume(VolumeError::Locked(_) | VolumeError::Ending) => {
                StatusCode::SERVICE_UNAVAILABLE
            }
            ControlError::State(StateError::Full { .. })
            | ControlError::NotSaved {
                why: StateError::Full { .. },
                ..
            } => StatusCode::INSUFFICIENT_STORAGE,
            // A successor has it: who came in before the API closed is to ask that (RFC 9110 §15.5.20).
            ControlError::State(StateError::Closed) => StatusCode::MISDIRECTED_REQUEST,
            ControlError::State(_)
            | ControlError::NotSaved { .. }
            | ControlError::NotRestored(..)
            | ControlError::Plane(_)
            | ControlError::Volume(_)
            | ControlError::Random(_) => {
                tracing::error!(%error, "admin request failed");
                StatusCode::INTERNAL_SERVER_ERROR
            }
        };
        Self(status, error.to_string())
    }
}

impl From<JsonRejection> for ApiError {
    fn from(rejection: JsonRejection) -> Self {
        Self(rejection.status(), rejection.body_text())
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        (self.0, axum::Json(ErrorBody { error: self.1 })).into_response()
    }
}

/// JSON in and out, with errors of the same shape as all others.
struct Json<T>(T);

impl<T, S> FromRequest<S> for Json<T>
where
    axum::Json<T>: FromRequest<S, Rejection = JsonRejection>,
    S: Send + Sync,
{
    type Rejection = ApiError;

    async fn from_request(request: Request, state: &S) -> Result<Self, ApiError> {
        let axum::Json(value) = axum::Json::from_request(request, state).await?;
        Ok(Self(value))
    }
}

impl<T: serde::Serialize> IntoResponse for Json<T> {
    fn into_response(self) -> Response {
        axum::Json(self.0).into_response()
    }
}

type Answer<T> = Result<Json<T>, ApiError>;
type Done = Result<StatusCode, ApiError>;

async fn list(State(api): State<Api>) -> Answer<Vec<TenantView>> {
    api.run(|control| control.list()).await.map(Json)
}

async fn add(
    State(api): State<Api>,
    Json(request): Json<TenantRequest>,
) -> Result<(StatusCode, Json<Grant>), ApiError> {
    let grant = api.run(move |control| control.add(&request)).await?;
    Ok((StatusCode::CREATED, Json(grant)))
}

async fn show(State(api): State<Api>, Path(tenant): Path<String>) -> Answer<TenantView> {
    api.run(move |control| control.show(&tenant))
        .await
        .map(Json)
}

async fn limit(
    State(api): State<Api>,
    Path(tenant): Path<String>,
    Json(change): Json<LimitChange>,
) -> Answer<TenantView> {
    api.run(move |control| control.limit(&tenant, &change))
        .await
        .map(Json)
}

async fn remove(State(api): State<Api>, Path(tenant): Path<String>) -> Done {
    api.run(move |control| control.remove(&tenant)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn flush(State(api): State<Api>, Path(tenant): Path<String>) -> Done {
    api.run(move |control| control.flush(&tenant)).await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn credentials(
    State(api): State<Api>,
    Path(tenant): Path<String>,
) -> Answer<Vec<CredentialView>> {
    api.run(move |control| control.credentials(&tenant))
        .await
        .map(Json)
}

async fn add_credential(
    State(api): State<Api>,
    Path(tenant): Path<String>,
    Json(request): Json<CredentialRequest>,
) -> Result<(StatusCode, Json<Grant>), ApiError> {
    let grant = api
        .run(move |control| control.add_credential(&tenant, &request))
        .await?;
    Ok((StatusCode::CREATED, Json(grant)))
}

async fn revoke(
    State(api): State<Api>,
    Path((tenant, username)): Path<(String, String)>,
) -> Answer<Revoked> {
    let ended = api.run(move |control| control.revoke(&tenant, &username));
    let credentials_left = ended.await?;
    Ok(Json(Revoked { credentials_left }))
}

async fn promote(State(api): State<Api>, Path((tenant, username)): Path<(String, String)>) -> Done {
    api.run(move |control| control.promote(&tenant, &username))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

#[derive(Deserialize)]
struct StatQuery {
    tenant: Option<String>,
}

async fn stat(State(api): State<Api>, Query(query): Query<StatQuery>) -> Answer<Stat> {
    let uptime_s = api.clock.now().since(api.started).as_secs();
    api.run(move |control| control.stat(query.tenant.as_deref(), uptime_s))
        .await
        .map(Json)
}

async fn reload(State(api): State<Api>) -> Answer<ReloadReport> {
    let Some(reload) = api.reload else {
        return Err(ControlError::NotRunning.into());
    };
    match tokio::task::spawn_blocking(move || reload()).await {
        Ok(Ok(report)) => Ok(Json(report)),
        Ok(Err(failure)) => Err(ApiError(
            StatusCode::UNPROCESSABLE_ENTITY,
            format!("{failure}; what was in force stays in force"),
        )),
        Err(_) => Err(ApiError(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the reload broke off: look at the daemon's log".into(),
        )),
    }
}

async fn backup(State(api): State<Api>) -> Result<Response, ApiError> {
    let bytes = api.run(|control| control.backup()).await?;
    let kind = [(header::CONTENT_TYPE, "application/vnd.sqlite3")];
    Ok((kind, Bytes::from(bytes)).into_response())
}

#[cfg(test)]
#[path = "api_test.rs"]
mod tests;
