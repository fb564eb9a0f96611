//! `POST /v1/upgrade`: hand over to a new process.

use axum::Router;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;

use super::{Answer, Api, ApiError, Json};
use crate::control::ControlError;
use crate::wire::{UpgradeReport, UpgradeRequest};

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/upgrade", post(upgrade))
}

async fn upgrade(
    State(api): State<Api>,
    Json(request): Json<UpgradeRequest>,
) -> Answer<UpgradeReport> {
    let Some(upgrader) = api.upgrader else {
        return Err(ControlError::NotRunning.into());
    };
    let work = move || upgrader.upgrade(request.binary.as_deref());
    match tokio::task::spawn_blocking(work).await {
        Ok(Ok(pid)) => Ok(Json(UpgradeReport {
            pid,
            old_pid: std::process::id(),
        })),
        Ok(Err(failure)) => Err(ApiError(
            StatusCode::UNPROCESSABLE_ENTITY,
            failure.to_string(),
        )),
        Err(_) => Err(ApiError(
            StatusCode::INTERNAL_SERVER_ERROR,
            "the upgrade broke off: look at the daemon's log".into(),
        )),
    }
}
