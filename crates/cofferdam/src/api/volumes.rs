//! `/v1/volumes`: volumes made, shown, attached and removed.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{get, post};

use super::volume_types::{AttachView, VolumeRequest, VolumeView};
use super::{Answer, Api, ApiError, Done, Json};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/volumes", get(list).post(create))
        .route("/v1/volumes/{volume}", get(show).delete(remove))
        .route("/v1/volumes/{volume}/attach", post(attach))
}

async fn list(State(api): State<Api>) -> Answer<Vec<VolumeView>> {
    api.run(|control| control.volumes()).await.map(Json)
}

async fn create(
    State(api): State<Api>,
    Json(request): Json<VolumeRequest>,
) -> Result<(StatusCode, Json<VolumeView>), ApiError> {
    let made = api
        .run(move |control| control.create_volume(&request))
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn show(State(api): State<Api>, Path(volume): Path<String>) -> Answer<VolumeView> {
    api.run(move |control| control.show_volume(&volume))
        .await
        .map(Json)
}

async fn attach(State(api): State<Api>, Path(volume): Path<String>) -> Answer<AttachView> {
    api.run(move |control| control.attach_volume(&volume))
        .await
        .map(Json)
}

async fn remove(State(api): State<Api>, Path(volume): Path<String>) -> Done {
    api.run(move |control| control.remove_volume(&volume))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}
