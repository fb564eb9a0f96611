//! The JSON of Statuspage's public API, version 2, as aggregators and clients read it.
//!
//! Shapes and words are those that status.atlassian.com publishes under `/api/v2`. Beside its
//! fields a component has `no_data`, for the state that the API has no word for.

use base::Timestamp;
use serde_json::{Value, json};

use crate::civil::rfc3339;
use crate::component::Component;
use crate::incident::{Incident, Update};
use crate::level::Level;
use crate::maintenance::{Maintenance, Stage};
use crate::view::{ComponentView, GroupView, View};

/// Incidents in one answer.
const INCIDENTS_MAX: usize = 50;
const PAGE_ID: &str = "cofferdam";

/// `summary.json`: all that is of interest now.
pub fn summary(view: &View<'_>) -> Value {
    let pending = view
        .maintenances
        .iter()
        .filter(|one| one.stage(view.now) != Stage::Completed);
    json!({
        "page": page(view),
        "components": all_components(view),
        "incidents": view.open_incidents().map(|one| incident(view, one)).collect::<Vec<_>>(),
        "scheduled_maintenances": pending.map(|one| maintenance(view, one)).collect::<Vec<_>>(),
        "status": indicator(view),
    })
}

/// `status.json`: how it all is.
pub fn status(view: &View<'_>) -> Value {
    json!({ "page": page(view), "status": indicator(view) })
}

/// `components.json`: all components and groups.
pub fn components(view: &View<'_>) -> Value {
    json!({ "page": page(view), "components": all_components(view) })
}

/// `incidents.json`: the latest fifty.
pub fn incidents(view: &View<'_>) -> Value {
    let latest = view.incidents.iter().take(INCIDENTS_MAX);
    let incidents: Vec<Value> = latest.map(|one| incident(view, one)).collect();
    json!({ "page": page(view), "incidents": incidents })
}

/// `incidents/unresolved.json`: those that go on.
pub fn unresolved(view: &View<'_>) -> Value {
    let incidents: Vec<Value> = view
        .open_incidents()
        .map(|one| incident(view, one))
        .collect();
    json!({ "page": page(view), "incidents": incidents })
}

/// `scheduled-maintenances.json`, or `…/upcoming.json` and `…/active.json` for one stage.
pub fn maintenances(view: &View<'_>, only: Option<Stage>) -> Value {
    let all = view.maintenances.iter();
    let chosen = all.filter(|one| only.is_none_or(|stage| one.stage(view.now) == stage));
    let windows: Vec<Value> = chosen
        .take(INCIDENTS_MAX)
        .map(|one| maintenance(view, one))
        .collect();
    json!({ "page": page(view), "scheduled_maintenances": windows })
}

fn page(view: &View<'_>) -> Value {
    json!({
        "id": PAGE_ID,
        "name": view.site.name,
        "url": view.site.url,
        "time_zone": "Etc/UTC",
        "updated_at": rfc3339(view.now),
    })
}

fn indicator(view: &View<'_>) -> Value {
    json!({ "indicator": view.indicator(), "description": view.headline() })
}

fn all_components(view: &View<'_>) -> Vec<Value> {
    let mut all = Vec::new();
    for (position, group) in (1..).zip(&view.groups) {
        all.push(group_value(view, position, group));
        for (position, one) in (1..).zip(&group.components) {
            all.push(component_value(view, position, one));
        }
    }
    all
}

fn group_value(view: &View<'_>, position: usize, group: &GroupView<'_>) -> Value {
    let members = group.components.iter();
    let members: Vec<&str> = members.map(|one| one.component().key.as_str()).collect();
    let mut value = base_value(view, group.key, group.name, group.level, position);
    set(&mut value, "group", json!(true));
    set(&mut value, "components", json!(members));
    value
}

fn component_value(view: &View<'_>, position: usize, one: &ComponentView<'_>) -> Value {
    let component = one.component();
    let name = component.path.name();
    let mut value = base_value(view, &component.key, name, one.level, position);
    set(&mut value, "group_id", json!(component.group_key()));
    value
}

fn base_value(view: &View<'_>, id: &str, name: &str, level: Level, position: usize) -> Value {
    json!({
        "id": id,
        "name": name,
        "status": level.statuspage(),
        "no_data": level == Level::NoData,
        "created_at": rfc3339(view.site.since),
        "updated_at": rfc3339(view.now),
        "position": position,
        "description": null,
        "showcase": true,
        "start_date": null,
        "group_id": null,
        "page_id": PAGE_ID,
        "group": false,
        "only_show_if_degraded": false,
    })
}

fn set(value: &mut Value, key: &str, to: Value) {
    if let Some(fields) = value.as_object_mut() {
        fields.insert(key.to_owned(), to);
    }
}

fn incident(view: &View<'_>, one: &Incident) -> Value {
    let touched: Vec<Value> = touched(view, &one.components);
    json!({
        "id": one.code(),
        "name": one.title,
        "status": one.phase.word(),
        "created_at": rfc3339(one.drafted),
        "updated_at": rfc3339(one.updated()),
        "monitoring_at": one.recovered.map(rfc3339),
        "resolved_at": one.resolved.map(rfc3339),
        "impact": one.impact.word(),
        "shortlink": view.link(&format!("/incidents/{}", one.id)),
        "started_at": rfc3339(one.began),
        "page_id": PAGE_ID,
        "incident_updates": one.updates.iter().enumerate().rev()
            .map(|(at, update)| incident_update(one, at, update)).collect::<Vec<_>>(),
        "components": touched,
    })
}

fn incident_update(incident: &Incident, at: usize, update: &Update) -> Value {
    update_value(
        &incident.code(),
        at,
        update.phase.word(),
        &update.text,
        update.at,
    )
}

fn update_value(incident: &str, at: usize, status: &str, text: &str, when: Timestamp) -> Value {
    let when = rfc3339(when);
    json!({
        "id": format!("{incident}u{at}"),
        "status": status,
        "body": text,
        "incident_id": incident,
        "created_at": when,
        "updated_at": when,
        "display_at": when,
        "affected_components": null,
        "deliver_notifications": true,
        "custom_tweet": null,
        "tweet_id": null,
    })
}

fn maintenance(view: &View<'_>, one: &Maintenance) -> Value {
    let stage = one.stage(view.now);
    json!({
        "id": one.code(),
        "name": one.title,
        "status": stage.word(),
        "created_at": rfc3339(one.announced),
        "updated_at": rfc3339(one.updated(view.now)),
        "monitoring_at": null,
        "resolved_at": (stage == Stage::Completed).then(|| rfc3339(one.ends)),
        "impact": "maintenance",
        "shortlink": view.link("/#maintenance"),
        "started_at": rfc3339(one.begins),
        "page_id": PAGE_ID,
        "incident_updates": [update_value(&one.code(), 0, "scheduled", &one.text, one.announced)],
        "components": touched(view, &one.components),
        "scheduled_for": rfc3339(one.begins),
        "scheduled_until": rfc3339(one.ends),
    })
}

/// The components of these keys that are still watched.
fn touched(view: &View<'_>, keys: &[String]) -> Vec<Value> {
    let is_meant = |component: &Component| keys.contains(&component.key);
    let all = view
        .groups
        .iter()
        .flat_map(|group| (1..).zip(&group.components));
    all.filter(|(_, one)| is_meant(one.component()))
        .map(|(position, one)| component_value(view, position, one))
        .collect()
}

#[cfg(test)]
#[path = "api_v2_test.rs"]
mod tests;
