//! `/v1/volumes`: volumes made, shown, attached and removed.

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::routing::{delete, get, post};

use super::{Answer, Api, ApiError, Done, Json};
use crate::wire::{
    AttachView, CheckView, CloneRequest, MirrorRequest, ResizeRequest, SnapshotRequest,
    SnapshotView, VolumeLimitChange, VolumeRequest, VolumeView,
};

pub(super) fn routes() -> Router<Api> {
    Router::new()
        .route("/v1/volumes", get(list).post(create))
        .route("/v1/volumes/{volume}", get(show).delete(remove))
        .route("/v1/volumes/{volume}/attach", post(attach))
        .route(
            "/v1/volumes/{volume}/snapshots",
            get(snapshots).post(snapshot),
        )
        .route(
            "/v1/volumes/{volume}/snapshots/{snapshot}",
            delete(remove_snapshot),
        )
        .route("/v1/volumes/{volume}/clone", post(clone))
        .route("/v1/volumes/{volume}/restore", post(restore))
        .route("/v1/volumes/{volume}/resize", post(resize))
        .route("/v1/volumes/{volume}/limit", post(limit))
        .route("/v1/volumes/{volume}/check", post(check))
        .route("/v1/volumes/{volume}/mirror", post(mirror))
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

async fn snapshots(
    State(api): State<Api>,
    Path(volume): Path<String>,
) -> Answer<Vec<SnapshotView>> {
    api.run(move |control| control.snapshots(&volume))
        .await
        .map(Json)
}

async fn snapshot(
    State(api): State<Api>,
    Path(volume): Path<String>,
    Json(request): Json<SnapshotRequest>,
) -> Result<(StatusCode, Json<SnapshotView>), ApiError> {
    let taken = api
        .run(move |control| control.snapshot(&volume, &request.snapshot))
        .await?;
    Ok((StatusCode::CREATED, Json(taken)))
}

async fn remove_snapshot(
    State(api): State<Api>,
    Path((volume, snapshot)): Path<(String, String)>,
) -> Done {
    api.run(move |control| control.remove_snapshot(&volume, &snapshot))
        .await?;
    Ok(StatusCode::NO_CONTENT)
}

async fn clone(
    State(api): State<Api>,
    Path(volume): Path<String>,
    Json(request): Json<CloneRequest>,
) -> Result<(StatusCode, Json<VolumeView>), ApiError> {
    let made = api
        .run(move |control| control.clone_volume(&volume, &request))
        .await?;
    Ok((StatusCode::CREATED, Json(made)))
}

async fn restore(
    State(api): State<Api>,
    Path(volume): Path<String>,
    Json(request): Json<SnapshotRequest>,
) -> Answer<VolumeView> {
    api.run(move |control| control.restore_volume(&volume, &request.snapshot))
        .await
        .map(Json)
}

async fn resize(
    State(api): State<Api>,
    Path(volume): Path<String>,
    Json(request): Json<ResizeRequest>,
) -> Answer<VolumeView> {
    api.run(move |control| control.resize_volume(&volume, &request))
        .await
        .map(Json)
}

async fn limit(
    State(api): State<Api>,
    Path(volume): Path<String>,
    Json(change): Json<VolumeLimitChange>,
) -> Answer<VolumeView> {
    api.run(move |control| control.limit_volume(&volume, change))
        .await
        .map(Json)
}

async fn check(State(api): State<Api>, Path(volume): Path<String>) -> Answer<CheckView> {
    api.run(move |control| control.check_volume(&volume))
        .await
        .map(Json)
}

async fn mirror(
    State(api): State<Api>,
    Path(volume): Path<String>,
    Json(request): Json<MirrorRequest>,
) -> Answer<VolumeView> {
    api.run(move |control| control.mirror_volume(&volume, &request))
        .await
        .map(Json)
}
