//! A board with a past, for tests of what is made of it.

use std::time::Duration;

use base::Timestamp;
use base::event::{EventKind, EventState};
use base::rng::Rng;

use crate::affairs::ServiceEvent;
use crate::board::{Board, Kept, Rules};
use crate::civil::{DAY_S, day_of};
use crate::component::{Component, Failed, Fault, Stage};
use crate::history::{Day, Minute};
use crate::incident::{Impact, Incident, Origin, Phase, Update, Visibility};
use crate::maintenance::Maintenance;
use crate::view::Site;

pub(crate) const NOW: Timestamp = Timestamp::from_secs(20_700 * DAY_S + 40_000);

pub(crate) fn site() -> Site {
    Site {
        name: "Example <status> & \"more\"".into(),
        url: "https://status.example".into(),
        since: Timestamp::from_secs(1_780_000_000),
    }
}

/// As many gateways, with ninety days of changing fortune, thirty incidents that are over and one
/// that goes on, a window of maintenance, and events of fifty tenants.
pub(crate) fn board(gateways: usize) -> Board {
    let mut rng = Rng::new(7);
    let components: Vec<Component> = (0..gateways)
        .flat_map(|n| Component::of_gateway(&format!("g{n}"), &format!("Zone {n} <b>")))
        .collect();
    let mut kept = Kept::default();
    for component in &components {
        let today = day_of(NOW);
        let days = (today - 89..=today).map(|day| (day, random_day(&mut rng)));
        kept.days.insert(component.key.clone(), days.collect());
        let minute = NOW.as_nanos() / 60_000_000_000;
        let minutes = (minute - 1_440..minute).map(|minute| Minute {
            minute,
            answered: 30,
            failed: u32::from(rng.below(50) == 0),
            median_us: 300 + rng.below(40_000) as u32,
            longest_us: 50_000,
        });
        kept.minutes
            .insert(component.key.clone(), minutes.collect());
    }
    kept.incidents = (1..=31).map(|id| incident(id, id == 31)).collect();
    kept.maintenances.push(Maintenance {
        id: 1,
        title: "Disks <i>".into(),
        text: "Connections may end & come back.".into(),
        components: Vec::new(),
        announced: NOW - Duration::from_secs(3_600),
        begins: NOW + Duration::from_secs(3_600),
        ends: NOW + Duration::from_secs(7_200),
    });
    let mut board = Board::new(&Rules::default(), components, kept, NOW);
    for tenant in 0..50 {
        board.handle_event(NOW, &throttled(&format!("tenant-{tenant}")));
    }
    board
}

fn throttled(tenant: &str) -> ServiceEvent {
    ServiceEvent {
        at: NOW,
        onset: NOW - Duration::from_secs(30),
        kind: EventKind::TenantThrottled,
        cause: "ops".into(),
        state: EventState::Began,
        tenant: Some(tenant.to_owned()),
    }
}

fn random_day(rng: &mut Rng) -> Day {
    let mut day = Day {
        operational_ms: 86_000_000,
        ..Day::default()
    };
    match rng.below(5) {
        0 => day.major_ms = 4_000_000,
        1 => day.partial_ms = 90_000,
        2 => day.degraded_ms = 90_000,
        3 => day = Day::default(),
        _ => {}
    }
    day
}

fn incident(id: u64, is_open: bool) -> Incident {
    let began = NOW - Duration::from_secs((40 - id) * 50_000);
    let update = |phase, text: &str| Update {
        at: began,
        phase,
        text: text.to_owned(),
    };
    let mut incident = Incident {
        id,
        title: format!("Trouble <script>alert({id})</script>"),
        origin: Origin::Operator,
        impact: Impact::Major,
        confidence_percent: 100,
        phase: Phase::Investigating,
        visibility: Visibility::Published,
        components: vec!["g0.new".into()],
        causes: Vec::new(),
        began,
        drafted: began,
        published: Some(began),
        recovered: None,
        resolved: None,
        updates: vec![update(
            Phase::Investigating,
            "It fails; \"we\" look & <see> it's ]]> bad.",
        )],
    };
    if !is_open {
        let end = began + Duration::from_secs(125);
        incident.tell(end, Phase::Monitoring, "It seems well.".into());
        incident.tell(end, Phase::Resolved, "It is over.".into());
    }
    incident
}

/// Probes that bring every component to a level: all well, or all out.
pub(crate) fn probe(board: &mut Board, now: Timestamp, is_well: bool) {
    let failed = Failed {
        stage: Stage::Connect,
        fault: Fault::Refused,
    };
    for index in 0..board.watched().len() {
        for _ in 0..4 {
            let outcome = is_well.then_some(Duration::from_micros(700)).ok_or(failed);
            board.handle_probe(index, now, now, outcome);
        }
    }
    // Until what is drafted is published.
    board.handle_timeout(now + Duration::from_secs(2));
}
