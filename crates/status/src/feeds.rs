//! Atom and RSS, for readers that ask again and again.

use std::fmt::Write;

use crate::civil::{rfc2822, rfc3339};
use crate::incident::Incident;
use crate::view::View;

/// Incidents in a feed.
const ENTRIES_MAX: usize = 25;

/// `history.atom` (RFC 4287): an entry for each incident, which changes with it.
pub fn atom(view: &View<'_>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    let name = escape(&view.site.name);
    let id = feed_id(view);
    // A `String` takes all that is written to it.
    let _ = write!(
        xml,
        "<feed xmlns=\"http://www.w3.org/2005/Atom\" xml:lang=\"en\">\n<id>{id}</id>\n\
         <title>{name}</title>\n<updated>{}</updated>\n<author><name>{name}</name></author>\n\
         <link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n\
         <link rel=\"self\" type=\"application/atom+xml\" href=\"{}\"/>\n",
        rfc3339(view.updated()),
        escape(&view.link("/")),
        escape(&view.link("/history.atom")),
    );
    for one in view.incidents.iter().take(ENTRIES_MAX) {
        let _ = write!(
            xml,
            "<entry>\n<id>{id}:{}</id>\n<title>{}</title>\n<published>{}</published>\n\
             <updated>{}</updated>\n<link rel=\"alternate\" type=\"text/html\" href=\"{}\"/>\n\
             <content type=\"html\">{}</content>\n</entry>\n",
            one.code(),
            escape(&one.title),
            rfc3339(one.published.unwrap_or(one.drafted)),
            rfc3339(one.updated()),
            escape(&view.link(&format!("/incidents/{}", one.id))),
            escape(&timeline(one)),
        );
    }
    xml.push_str("</feed>\n");
    xml
}

/// `history.rss` (RSS 2.0).
pub fn rss(view: &View<'_>) -> String {
    let mut xml = String::from("<?xml version=\"1.0\" encoding=\"utf-8\"?>\n");
    let id = feed_id(view);
    let _ = write!(
        xml,
        "<rss version=\"2.0\" xmlns:atom=\"http://www.w3.org/2005/Atom\">\n<channel>\n\
         <title>{}</title>\n<link>{}</link>\n<description>Incidents</description>\n\
         <language>en</language>\n<lastBuildDate>{}</lastBuildDate>\n\
         <atom:link rel=\"self\" type=\"application/rss+xml\" href=\"{}\"/>\n",
        escape(&view.site.name),
        escape(&view.link("/")),
        rfc2822(view.updated()),
        escape(&view.link("/history.rss")),
    );
    for one in view.incidents.iter().take(ENTRIES_MAX) {
        let _ = write!(
            xml,
            "<item>\n<title>{}</title>\n<link>{}</link>\n<guid isPermaLink=\"false\">{id}:{}</guid>\n\
             <pubDate>{}</pubDate>\n<description>{}</description>\n</item>\n",
            escape(&one.title),
            escape(&view.link(&format!("/incidents/{}", one.id))),
            one.code(),
            rfc2822(one.published.unwrap_or(one.drafted)),
            escape(&timeline(one)),
        );
    }
    xml.push_str("</channel>\n</rss>\n");
    xml
}

/// Never changes for a page (RFC 4287, 4.2.6): the moment that it began, which no other has.
fn feed_id(view: &View<'_>) -> String {
    format!("urn:cofferdam:status:{}", view.site.since.as_nanos())
}

/// The timeline as HTML, the latest first.
fn timeline(one: &Incident) -> String {
    let latest_first = one.updates.iter().rev();
    let told = latest_first.map(|update| {
        format!(
            "<p><small>{}</small><br><strong>{}</strong>: {}</p>",
            crate::civil::moment(update.at),
            update.phase.text(),
            escape(&update.text)
        )
    });
    told.collect()
}

/// A text as the content of an element or a quoted attribute; what XML cannot hold is left out.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\t' | '\n' => escaped.push(letter),
            control if control.is_control() => {}
            '\u{fffe}' | '\u{ffff}' => {}
            other => escaped.push(other),
        }
    }
    escaped
}

#[cfg(test)]
#[path = "feeds_test.rs"]
mod tests;
