//! The files are whole, and lead to each other from wherever they are served.

use super::*;
use crate::status::hub::Past;
use crate::status::testing::{hub, outage};

#[test]
fn every_link_of_a_page_leads_to_a_file() {
    let dir = tempfile::tempdir().unwrap();
    let hub = hub(Past::default());
    outage(&hub, hub.now());
    let mut exporter = Exporter::new(dir.path().to_owned());
    exporter.tick(&hub, hub.now());
    let index = fs::read_to_string(dir.path().join("index.html")).unwrap();
    assert!(index.contains("Major outage") && index.contains("data-live=\"false\""));
    for page in ["index.html", "incidents/1.html", "components/g2.kept.html"] {
        let path = dir.path().join(page);
        let text = fs::read_to_string(&path).unwrap();
        let links = text.split("href=\"").chain(text.split("src=\"")).skip(1);
        for link in links.filter_map(|rest| rest.split('"').next()) {
            if link.starts_with('#') || link.contains('<') {
                continue;
            }
            let target = path.parent().unwrap().join(link);
            assert!(target.is_file(), "{page} leads to {link}");
        }
    }
    let summary = fs::read_to_string(dir.path().join("api/v2/summary.json")).unwrap();
    assert!(summary.contains("\"critical\""));
}

#[test]
fn a_folder_that_cannot_be_written_costs_nothing_but_the_copy() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("file");
    fs::write(&file, "").unwrap();
    let mut exporter = Exporter::new(file.join("below"));
    let hub = hub(Past::default());
    exporter.tick(&hub, hub.now());
    assert!(exporter.is_failing);
}
