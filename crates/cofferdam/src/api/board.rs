//! The overview as data: what the console shows at a glance, for a terminal or a program.

use axum::Router;
use axum::extract::State;
use axum::routing::get;

use super::observe::{blocking, observatory};
use super::{Api, ApiError, Json};
use crate::board::Board;
use crate::wire::BoardView;

/// Events told with it.
const EVENTS_TOLD: usize = 20;

pub(super) fn routes() -> Router<Api> {
    Router::new().route("/v1/board", get(tell))
}

async fn tell(State(api): State<Api>) -> Result<Json<BoardView>, ApiError> {
    let observatory = observatory(api)?;
    let board = blocking(move || {
        Board::new(
            &observatory.recent(),
            &observatory.log.recent(),
            EVENTS_TOLD,
        )
    });
    Ok(Json(board.await?.view()))
}
