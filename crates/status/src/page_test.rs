//! Pages are whole, small, and hold nobody's script.

use super::*;
use crate::sample::{NOW, board, probe, site};

const LIVE: Place = Place::Live(None);

#[test]
fn a_large_service_is_a_small_page() {
    let (mut board, site) = (board(20), site());
    probe(&mut board, NOW, true);
    let page = index(&View::of(&board, &site, NOW), &LIVE);
    assert!(page.len() < 100 * 1024, "{} bytes", page.len());
    assert!(page.contains("All systems operational"));
    assert_eq!(page.matches("class=\"bars\"").count(), 40);
    assert_eq!(
        page.matches("</section>").count(),
        page.matches("<section").count()
    );
}

#[test]
fn what_others_wrote_stays_text() {
    let (board, site) = (board(2), site());
    let view = View::of(&board, &site, NOW);
    let pages = [
        index(&view, &LIVE),
        history(&view, &LIVE),
        incident(&view, 31, &LIVE).unwrap(),
        component(&view, "g0.new", &LIVE).unwrap(),
        index(&view, &Place::Live(Some("<img src=x>".into()))),
    ];
    for page in pages {
        assert!(!page.contains("<script>alert"), "{page}");
        assert!(!page.contains("<b>") && !page.contains("<i>") && !page.contains("<img"));
        assert!(page.contains("as of <time"));
    }
}

#[test]
fn no_page_names_a_tenant_but_his_own() {
    let (board, site) = (board(2), site());
    let view = View::of(&board, &site, NOW);
    for page in [index(&view, &LIVE), history(&view, &LIVE)] {
        assert!(!page.contains("tenant-"), "{page}");
    }
    let chrome = Chrome::new("S", NOW, None, &Place::Live(Some("tenant-7".into())));
    let own = crate::forms::me(chrome, &board, &view, "tenant-7", true, "c");
    assert!(own.contains("You reached one of your limits"));
    assert!(!own.contains("tenant-8"));
}

#[test]
fn a_tenant_is_told_whether_an_incident_touched_him() {
    let (mut board, site) = (board(1), site());
    probe(&mut board, NOW, false);
    let view = View::of(&board, &site, NOW);
    let me = |tenant: &str, hears: bool| {
        let chrome = Chrome::new("S", NOW, None, &LIVE);
        crate::forms::me(chrome, &board, &view, tenant, hears, "c")
    };
    assert!(me("tenant-1", true).contains("While it lasted: You reached"));
    let other = me("nobody", true);
    assert!(other.contains("nobody could be served as usual") && other.contains("Perhaps."));
    assert!(me("nobody", false).contains("does not know whose requests"));
}

#[test]
fn links_lead_where_the_page_is_read() {
    let (board, site) = (board(1), site());
    let view = View::of(&board, &site, NOW);
    let file = incident(&view, 31, &Place::Files { depth: 1 }).unwrap();
    assert!(file.contains("href=\"../history.html\"") && file.contains("href=\"../status.css\""));
    assert!(!file.contains("href=\"/") && !file.contains("subscribe"));
    assert!(index(&view, &LIVE).contains("href=\"/incidents/31\""));
    assert_eq!(incident(&view, 99, &LIVE), None);
    assert_eq!(component(&view, "nope", &LIVE), None);
}

#[test]
fn the_operators_see_drafts_and_nobody_else_does() {
    let (mut board, site) = (board(1), site());
    let event = crate::affairs::ServiceEvent {
        at: NOW,
        onset: NOW,
        kind: base::event::EventKind::HostOverload,
        cause: String::new(),
        state: base::event::EventState::Began,
        tenant: None,
    };
    probe(&mut board, NOW, true);
    board.handle_event(NOW, &event);
    let chrome = Chrome::new("S", NOW, None, &LIVE);
    let desk = crate::forms::operator(chrome, &board, NOW, "", "secret-csrf");
    assert!(desk.contains("Requests wait for their turn") && desk.contains("value=\"publish\""));
    assert!(desk.contains("secret-csrf"));
    let page = index(&View::of(&board, &site, NOW), &LIVE);
    assert!(!page.contains("Requests wait for their turn"));
}
